package upsmon

import (
	"errors"
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// Limits of the delivery.
const (
	noticeQueue = 1024            // a storm of announcements, at a few a second for minutes
	patience    = 2 * time.Second // an ordinary command has ended by then; a slower one is not waited for
	maxCommands = 16              // slow commands that run side by side
	commandTime = time.Hour       // a command that runs longer has lost its way and is killed
	wallTime    = time.Minute     // wall may hang on a terminal that nobody reads
	drainTime   = 5 * time.Second // what the last announcements get when the program ends
)

// usualFlag is where announcements go that have no NOTIFYFLAG.
var usualFlag = config.NotifyFlag{Syslog: true, Wall: true}

// A delivery is an announcement with all that is needed to make it, as configured when it was made.
type delivery struct {
	Notice
	text string
	flag config.NotifyFlag
	cmd  []string
	last bool // there will be no more: end
}

// A notifier delivers announcements, in order, in a task of its own. A command that ends within
// patience is over before the next announcement is made; a slower one goes on beside it.
type notifier struct {
	in       *env.Inbox[delivery]
	ended    *env.Inbox[int] // the numbers of commands that have ended
	gone     *env.Inbox[struct{}]
	started  int
	running  int
	lost     int  // deliveries that found the queue full, as far as logged
	wallUsed bool // only the first failure of wall is worth a word
}

// startNotifier starts the task.
func startNotifier(e env.Env) *notifier {
	n := &notifier{
		in:    env.NewInbox[delivery](e, noticeQueue),
		ended: env.NewInbox[int](e, maxCommands),
		gone:  env.NewInbox[struct{}](e, 1),
	}
	e.Go("notifier", n.run)
	return n
}

// drain lets the notifier finish what it has, for a while.
func (n *notifier) drain(e env.Env) {
	n.in.Put(delivery{last: true})
	n.gone.Get(e, e.Now().Add(drainTime))
}

func (n *notifier) run(e env.Env) error {
	defer n.gone.Put(struct{}{})
	for {
		d, err := n.in.Get(e, env.Never)
		if err != nil || d.last {
			return err
		}
		n.deliver(e, d)
		if lost := n.in.Dropped(); lost > n.lost {
			e.Log().Error(fmt.Sprintf("%d notifications were lost: more than %d were waiting",
				lost-n.lost, noticeQueue))
			e.Emit(env.Event{Kind: env.Drop, Name: "notifications", N: int64(lost - n.lost)})
			n.lost = lost
		}
	}
}

func (n *notifier) deliver(e env.Env, d delivery) {
	if d.flag.Ignore {
		return
	}
	if d.flag.Syslog {
		e.Log().Info(d.text)
	}
	if d.flag.Wall {
		n.wall(e, d)
	}
	if d.flag.Exec && len(d.cmd) > 0 {
		n.exec(e, d)
	}
}

// wall shows the text on all terminals. A machine that has no such program is no fault.
func (n *notifier) wall(e env.Env, d delivery) {
	c := env.Command{Args: []string{"wall"}, Stdin: []byte(d.text + "\n")}
	again := n.wallUsed
	n.wallUsed = true
	n.command(e, func(e env.Env) {
		status, err := e.Host().Run(e, c, e.Now().Add(wallTime))
		if (err != nil || status != 0) && !again && !errors.Is(err, env.ErrStopped) {
			e.Log().Warn(fmt.Sprintf("Can't invoke wall: %s; notifications do not reach the terminals",
				outcome(status, err)))
		}
	})
}

// exec runs NOTIFYCMD with the text as its last argument.
func (n *notifier) exec(e env.Env, d delivery) {
	c := service.Script(d.cmd, d.text)
	c.Env = []string{"NOTIFYTYPE=" + string(d.Type), "UPSNAME=" + d.UPS}
	n.command(e, func(e env.Env) {
		status, err := e.Host().Run(e, c, e.Now().Add(commandTime))
		if err != nil && !errors.Is(err, env.ErrStopped) {
			e.Log().Error(fmt.Sprintf("NOTIFYCMD for %s: %s", d.Type, outcome(status, err)))
		}
	})
}

// command runs f in a task of its own and waits for it, within patience.
func (n *notifier) command(e env.Env, f func(env.Env)) {
	for n.running == maxCommands {
		if _, err := n.ended.Get(e, env.Never); err != nil {
			return
		}
		n.running--
	}
	n.started++
	n.running++
	number := n.started
	e.Go("notify", func(e env.Env) error {
		defer n.ended.Put(number)
		f(e)
		return nil
	})
	for until := e.Now().Add(patience); ; {
		ended, err := n.ended.Get(e, until)
		if err != nil {
			return
		}
		n.running--
		if ended == number {
			return
		}
	}
}

// outcome is how a command failed, in words.
func outcome(status env.ExitStatus, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("exit status %d", status)
}
