package driver

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
)

// An instance is where a driver of one UPS is to be found on this machine.
type instance struct {
	prog    string
	ups     string
	socket  string
	pidFile string
	starts  string // lock of those that start
	notes   string // what is known of the device
}

// place returns where the driver of a UPS is, or will be. NUT_STATEPATH wins over statepath of
// ups.conf.
func place(e env.Env, c *Conf) instance {
	dir := nut.StatePath(e)
	if own := c.globals["statepath"]; own != "" && e.Host().Getenv("NUT_STATEPATH") == "" {
		dir = own
	}
	name := sockproto.File(c.Program, c.UPS)
	return instance{prog: c.Program, ups: c.UPS, socket: dir + "/" + name,
		pidFile: nut.AltPidPath(e) + "/" + name + ".pid",
		starts:  nut.AltPidPath(e) + "/" + name + ".lock",
		notes:   dir + "/" + name + ".known"}
}

const (
	// leaveTime is how long an older instance may take to go after it agreed to.
	leaveTime = 5 * time.Second
	// answerTime is how long a running driver may take for a command that does something: the
	// slowest kill-power run has six exchanges of a second.
	answerTime = 15 * time.Second
	// setTime is how long it may take for one that does nothing but show that it listens: it may
	// be in the middle of a poll. The kill-power run of a dying site does not wait for a driver
	// that hangs.
	setTime = 5 * time.Second
)

// maxNote is more than is ever known of a device.
const maxNote = 1024

// startTime is how long another start of the same driver is waited for: it may look for its device.
const startTime = 30 * time.Second

// alone waits until no other instance is starting. Two that start at the same time would not see
// each other: both would poll the device, and the one whose socket is replaced could not be stopped
// any more. settled lets the next one start, which then finds this one. A lock that is not to be
// had stops nobody: what is started is needed.
func (i instance) alone(e env.Env) (settled func(), err error) {
	settled, err = e.Host().Lock(e, i.starts, e.Now().Add(startTime))
	switch {
	case errors.Is(err, env.ErrStopped):
		return nil, err
	case errors.Is(err, env.ErrTimeout):
		e.Log().Warn(fmt.Sprintf("%v: going on beside a start that does not end", err))
	}
	if err != nil {
		settled = func() {}
	}
	return settled, nil
}

// evict makes an older instance go: politely through its socket, then by its PID file.
func (i instance) evict(e env.Env) error {
	if c, err := remote.Dial(e, i.socket); err == nil {
		err := i.askToLeave(e, c)
		c.Close(e)
		if errors.Is(err, env.ErrStopped) {
			return err
		}
	}
	pid, err := remote.ReadPID(e, i.pidFile, i.prog, i.ups)
	if err != nil || pid == e.Host().Pid() {
		return nil
	}
	e.Log().Info(fmt.Sprintf("Duplicate driver instance detected (PID file %s exists)! "+
		"Terminating other driver!", i.pidFile))
	err = remote.Stop(e, pid)
	switch {
	case err == nil || errors.Is(err, env.ErrNoProcess):
		_, err = remote.Gone(e, pid, leaveTime)
		return err
	case errors.Is(err, env.ErrStopped):
		return err
	}
	return fmt.Errorf("cannot end the older driver, process %d: %w", pid, err)
}

// askToLeave sends driver.exit and waits until the instance is gone.
func (i instance) askToLeave(e env.Env, c *remote.Conn) error {
	// Older drivers do not say; then there is the PID file.
	pid, _ := c.PID(e, e.Now().Add(time.Second))
	code, err := c.Command(e, "driver.exit", e.Now().Add(leaveTime))
	if err != nil || code != sockproto.Handled || pid == 0 {
		return err
	}
	e.Log().Info(fmt.Sprintf("an older instance, process %d, was asked to leave", pid))
	_, err = remote.Gone(e, pid, leaveTime)
	return err
}

// enter writes the PID file. Without one the driver works all the same.
func (i instance) enter(e env.Env) {
	err := e.Host().WriteFile(i.pidFile, []byte(strconv.Itoa(e.Host().Pid())+"\n"), 0o644)
	if err != nil {
		e.Log().Warn(fmt.Sprintf("cannot write the PID file: %v", err))
	}
}

// leave removes what this instance made, and nothing that another has put in its place: a slow
// end must not take the socket from the successor.
func (i instance) leave(e env.Env, l *socket) {
	l.Close()
	info, err := e.Host().Stat(i.socket)
	if err == nil && info.Node == l.node {
		err = e.Host().Remove(i.socket)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.Log().Warn(fmt.Sprintf("cannot remove the socket: %v", err))
	}
	b, err := e.Host().ReadFile(i.pidFile)
	if err == nil && string(b) == strconv.Itoa(e.Host().Pid())+"\n" {
		e.Host().Remove(i.pidFile) // what stays behind stops nobody
	}
}

// note returns what keeps what is known of the device at a port for a later process. It is a help
// and no more: when it cannot be kept, nothing else is wrong.
func (i instance) note(port string) func(e env.Env, known string) {
	last := ""
	return func(e env.Env, known string) {
		if known == last {
			return
		}
		text := port + "\t" + known + "\n"
		if err := e.Host().WriteFile(i.notes, []byte(text), 0o644); err == nil {
			last = known
		}
	}
}

// known is what was kept of the device at a port.
func (i instance) known(e env.Env, port string) string {
	if info, err := e.Host().Stat(i.notes); err != nil || info.Size > maxNote {
		return ""
	}
	text, err := e.Host().ReadFile(i.notes)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if at, known, ok := strings.Cut(line, "\t"); ok && at == port {
		return known
	}
	return ""
}

// killThrough asks a running instance to switch the load off. done is false when there is none or
// it did not do it.
func (i instance) killThrough(e env.Env) (done bool) {
	c, err := remote.Dial(e, i.socket)
	if err != nil {
		return false
	}
	defer c.Close(e)
	code, err := c.Set(e, killLock, "1", e.Now().Add(setTime))
	if err == nil && code == sockproto.Handled {
		code, err = c.Command(e, "driver.killpower", e.Now().Add(answerTime))
	}
	if err == nil && code == sockproto.Handled {
		return true
	}
	e.Log().Warn(fmt.Sprintf("the running driver did not switch the load off (result %d, %v)",
		code, err))
	return false
}

// signalFor are the signals that tell a driver what -c says, when its socket is deaf.
var signalFor = map[string]env.Signal{
	"reload": env.Hangup, "reload-or-exit": env.User1, "exit": env.Terminate, "dump": env.Resized,
}

// tell carries out -c.
func (i instance) tell(e env.Env, word string, pid int) error {
	if word != "reload-or-error" && signalFor[word] == "" {
		return fmt.Errorf("-c %q: want dump, reload, reload-or-error, reload-or-exit or exit", word)
	}
	if pid == 0 {
		if c, err := remote.Dial(e, i.socket); err == nil {
			defer c.Close(e)
			if word == "dump" {
				return show(e, c)
			}
			code, err := c.Command(e, "driver."+word, e.Now().Add(answerTime))
			if err == nil && code != sockproto.Handled {
				err = fmt.Errorf("driver.%s: the driver refused (result %d)", word, code)
			}
			return err
		}
	}
	s := signalFor[word]
	if s == "" {
		return fmt.Errorf("%s: no driver answers there", i.socket)
	}
	if pid == 0 {
		var err error
		pid, err = remote.ReadPID(e, i.pidFile, i.prog, i.ups)
		switch {
		case errors.Is(err, remote.ErrNoFile):
			return fmt.Errorf("%s: no driver answers there; %s: %w", i.socket, i.pidFile, err)
		case err != nil:
			return fmt.Errorf("%s: %w", i.pidFile, err)
		}
	}
	return e.Host().Kill(pid, s)
}

// show prints what a running driver knows.
func show(e env.Env, c *remote.Conn) error {
	dev, fresh, err := c.Dump(e, e.Now().Add(answerTime))
	if err != nil {
		return err
	}
	if !fresh {
		e.Log().Warn("the driver says that this is stale")
	}
	_, err = e.Host().Stdout().Write(text(dev))
	return err
}

// load reads ups.conf and makes the Conf of one UPS.
func load(e env.Env, s Spec, prog string, f flags) (*Conf, error) {
	extra := extraSettings(f.extra)
	if f.interval > 0 {
		extra = append(extra,
			setting{key: "pollinterval", value: strconv.Itoa(f.interval), where: "-i"})
	}
	var parsed *config.UPS
	var section *config.Section
	dir := nut.ConfPath(e)
	if f.alone == "" {
		var err error
		if parsed, section, err = readSection(e, dir+"/ups.conf", f.name); err != nil {
			return nil, err
		}
		if other, _ := section.Get("driver"); other != prog {
			return nil, fmt.Errorf("%s/ups.conf: [%s] is for driver %q, and this is %q",
				dir, f.name, other, prog)
		}
	}
	c, err := compose(s, prog, f.ups(), settings(parsed, "ups.conf", section, extra))
	switch {
	case err != nil:
		return nil, err
	case c.Port() != "" || f.tell != "": // a running driver has its port
	case f.alone != "":
		return nil, fmt.Errorf("-s %s: port is missing: want -x port=<the device's port>", f.alone)
	default:
		return nil, fmt.Errorf("ups.conf: [%s]: port is missing: want the device's port", f.name)
	}
	c.Dir = dir
	return c, nil
}

// readSection finds the section of a UPS, whose name must match letter by letter.
func readSection(e env.Env, file, name string) (*config.UPS, *config.Section, error) {
	b, err := e.Host().ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("Can't open %s: %w", file, err) //lint:ignore ST1005 NUT's words
	}
	parsed, problems := config.ParseUPS(file, b)
	for _, p := range problems {
		e.Log().Warn(p.Error())
	}
	found := config.Section{Name: name}
	for _, s := range parsed.Sections {
		if s.Name == name {
			found.Line = s.Line
			found.Pairs = append(found.Pairs, s.Pairs...) // a section may be continued further down
		}
	}
	if found.Line == 0 {
		return nil, nil, fmt.Errorf("%s: section [%s] not found in ups.conf", file, name)
	}
	return parsed, &found, nil
}
