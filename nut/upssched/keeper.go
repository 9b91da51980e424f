package upssched

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/service"
)

const (
	idleTime   = 15 * time.Second // how long a keeper without timers stays
	patience   = 5 * time.Second  // how long a script holds up the one after it
	scriptTime = time.Hour        // a script that runs longer has lost its way and is killed
	maxTimers  = 10_000           // more is somebody's loop
	maxClients = 256
)

// A keeper holds the timers of this machine.
type keeper struct {
	conf *config.Upssched
	l    env.Listener
	wake env.Waiter
	node uint64 // of the socket, whose name may be another keeper's by the time this one ends

	mu      sync.Mutex // guards what follows; never held across a call that takes an Env
	timers  timers
	scripts int // that run
	clients int
	since   env.Instant // when there was last something to do
	stopped env.Signal
}

// newKeeper makes the socket, over the remains of a keeper that was killed. The caller holds the
// lock.
func newKeeper(e env.Env, c *config.Upssched) (*keeper, error) {
	if err := e.Host().Remove(c.PipeFN); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("PIPEFN %s: cannot remove the old socket: %w", c.PipeFN, err)
	}
	l, err := e.Net().Listen(e, "unix", c.PipeFN)
	if err != nil {
		return nil, fmt.Errorf("PIPEFN %s: %w", c.PipeFN, err)
	}
	if err := e.Host().Chmod(c.PipeFN, 0o660); err != nil {
		l.Close()
		return nil, fmt.Errorf("PIPEFN %s: %w", c.PipeFN, err)
	}
	info, err := e.Host().Stat(c.PipeFN)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("PIPEFN %s: %w", c.PipeFN, err)
	}
	k := &keeper{conf: c, l: l, wake: e.Waiter(), node: info.Node, since: e.Now()}
	k.clients = 1 // the one who made it
	e.Go("accept", k.accept)
	e.Go("signals", k.signals)
	return k, nil
}

// release says that the one who made the keeper has nothing more to add.
func (k *keeper) release(e env.Env) { k.leaves(e.Now()) }

func (k *keeper) signals(e env.Env) error {
	for {
		s, err := e.Host().Signals().Get(e, env.Never)
		if err != nil {
			return err
		}
		if s == env.Terminate || s == env.Interrupt || s == env.Quit {
			k.mu.Lock()
			k.stopped = s
			k.mu.Unlock()
			k.wake.Wake()
		}
	}
}

// keep fires timers until there has been nothing to do for a while.
func (k *keeper) keep(e env.Env) {
	for {
		now := e.Now()
		k.mu.Lock()
		due := k.timers.due(now)
		until, idle := k.timers.next(), false
		if len(k.timers.list)+len(due)+k.scripts+k.clients > 0 {
			k.since = now
		} else {
			until = k.since.Add(idleTime)
			idle = now >= until
		}
		stopped, lost := k.stopped, len(k.timers.list)
		k.scripts += len(due)
		k.mu.Unlock()
		if len(due) > 0 {
			e.Go("timers", func(e env.Env) error { k.fire(e, due); return nil })
			continue
		}
		if stopped != "" {
			e.Log().Warn(fmt.Sprintf("Signal %s: exiting; %d timers are lost", stopped, lost))
			k.close(e)
			return
		}
		if idle && k.retire(e) {
			return
		}
		if err := k.wake.Wait(e, until); errors.Is(err, env.ErrStopped) {
			k.close(e)
			return
		}
	}
}

// close takes the socket away, unless a keeper that found this one dead or hung has replaced it.
func (k *keeper) close(e env.Env) {
	k.l.Close()
	if info, err := e.Host().Stat(k.conf.PipeFN); err == nil && info.Node != k.node {
		return
	}
	if err := e.Host().Remove(k.conf.PipeFN); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.Log().Warn(fmt.Sprintf("cannot remove the socket: %v", err))
	}
}

// retire ends the keeper unless somebody is about to use it. Who has the lock is.
func (k *keeper) retire(e env.Env) bool {
	unlock, err := e.Host().Lock(e, k.conf.LockFN, e.Now())
	switch {
	case errors.Is(err, env.ErrTimeout) || errors.Is(err, env.ErrStopped):
		k.mu.Lock()
		k.since = e.Now() // try again later
		k.mu.Unlock()
		return false
	case err == nil:
		defer unlock()
	} // else nobody can have it: its folder is gone, say
	k.mu.Lock()
	busy := len(k.timers.list)+k.clients > 0
	k.mu.Unlock()
	if busy {
		return false
	}
	k.close(e)
	return true
}

// fire runs the scripts of timers that are due together, one after the other, but none waits long
// for the one before.
func (k *keeper) fire(e env.Env, due []timer) {
	ended := env.NewInbox[int](e, len(due))
	for i, t := range due {
		e.Go("script", func(e env.Env) error {
			defer ended.Put(i)
			defer k.scriptEnds()
			e.Emit(env.Event{Kind: env.Timer, UPS: t.upses(), Name: t.name, Value: "fire"})
			e.Log().Info(fmt.Sprintf("Event: %s", t.name))
			run(e, k.conf, t.name, notice{t.kinds(), t.upses(), t.texts()})
			return nil
		})
		for until := e.Now().Add(patience); ; {
			if n, err := ended.Get(e, until); err != nil || n == i {
				break
			}
		}
	}
}

// scriptEnds takes a script off those that run.
func (k *keeper) scriptEnds() {
	k.mu.Lock()
	k.scripts--
	k.mu.Unlock()
	k.wake.Wake()
}

// obey follows one request.
func (k *keeper) obey(e env.Env, r request) []string {
	now := e.Now()
	t := timer{name: r.name, at: now.Add(r.after), offset: r.after, about: []notice{r.about},
		epoch: e.Wall().Add(r.after).Unix()}
	value, canceled := "", -1
	k.mu.Lock()
	switch r.verb {
	case listVerb:
		defer k.mu.Unlock()
		return k.rows()
	case startVerb, startSharedVerb:
		switch {
		case len(k.timers.list) >= maxTimers:
			value = "refused"
		case r.verb == startSharedVerb && k.timers.join(t):
			value = "join"
		default:
			k.timers.start(t)
			value = "start"
		}
	case cancelVerb:
		canceled = k.timers.cancel(r.name)
	case cancelMatchedVerb:
		canceled = k.timers.cancelFor(r.name, r.about.ups)
	}
	orElse := canceled == 0 && r.other != ""
	if orElse {
		k.scripts++
	}
	k.mu.Unlock()
	switch {
	case value == "refused":
		e.Log().Error(fmt.Sprintf("timer %s for %s %s: %d timers run already, it is lost",
			r.name, r.about.kind, r.about.ups, maxTimers))
	case value != "":
		e.Log().Info(fmt.Sprintf("New timer: %s (%d seconds)", r.name, r.after/time.Second))
	case canceled > 0:
		value = "cancel"
		e.Log().Info(fmt.Sprintf("Cancelling timer: %s", r.name))
	}
	if value != "" {
		e.Emit(env.Event{Kind: env.Timer, UPS: r.about.ups, Name: r.name, Value: value,
			N: int64(r.after)})
	}
	if orElse {
		e.Go("script", func(e env.Env) error {
			defer k.scriptEnds()
			run(e, k.conf, r.other, r.about)
			return nil
		})
	}
	k.wake.Wake()
	return nil
}

// rows is the list of timers: name, when, seconds, types, UPSes, messages. The caller holds mu.
func (k *keeper) rows() []string {
	rows := []string{listBegin}
	for _, t := range k.timers.list {
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%s\t%s\t%s", t.name, t.epoch,
			t.offset/time.Second, t.kinds(), t.upses(), t.texts()))
	}
	return append(rows, listEnd)
}

func (k *keeper) accept(e env.Env) error {
	return env.Serve(e, k.l, "client", func(e env.Env, c env.Conn) error {
		defer c.Close()
		if k.enters() {
			k.serve(e, c)
			k.leaves(e.Now())
		}
		return nil
	})
}

func (k *keeper) enters() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.clients >= maxClients {
		return false
	}
	k.clients++
	return true
}

func (k *keeper) leaves(now env.Instant) {
	k.mu.Lock()
	k.clients--
	k.since = now
	k.mu.Unlock()
	k.wake.Wake()
}

// serve follows a client until it leaves, or has said nothing for a minute.
func (k *keeper) serve(e env.Env, c env.Conn) {
	const silence = time.Minute
	var p line.Parser
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(e, buf, e.Now().Add(silence))
		if err != nil {
			return
		}
		var out strings.Builder
		p.Feed(buf[:n], func(words []string, err error) {
			if err == nil && len(words) == 0 {
				return
			}
			out.WriteString(k.answer(e, words, err))
		})
		if out.Len() == 0 {
			continue
		}
		if _, err := c.Write(e, []byte(out.String()), e.Now().Add(keeperTime)); err != nil {
			return
		}
	}
}

func (k *keeper) answer(e env.Env, words []string, err error) string {
	if err == nil {
		var r request
		if r, err = parseRequest(words); err == nil {
			return strings.Join(append(k.obey(e, r), replyOK), "\n") + "\n"
		}
	}
	e.Log().Warn(fmt.Sprintf("socket: %v", err))
	if errors.Is(err, errBogus) {
		return replyBogus + "\n"
	}
	return replyUnknown + "\n"
}

// run calls CMDSCRIPT with a word and waits for its end.
func run(e env.Env, c *config.Upssched, word string, about notice) {
	cmd := service.Script(c.CmdScript, word)
	cmd.Env = []string{"NOTIFYTYPE=" + about.kind, "UPSNAME=" + about.ups, "NOTIFYMSG=" + about.text}
	status, err := e.Host().Run(e, cmd, e.Now().Add(scriptTime))
	switch {
	case errors.Is(err, env.ErrStopped):
	case err != nil:
		e.Log().Error(fmt.Sprintf("CMDSCRIPT %s: %v", word, err))
	case status != 0:
		e.Log().Warn(fmt.Sprintf("CMDSCRIPT %s: exit status %d", word, status))
	}
}
