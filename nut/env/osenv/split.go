package osenv

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv/root"
)

// splitVar marks the child of a Split; its files are those below.
const splitVar = "BLACKSTART_CHILD"

// Files that the child of a Split finds open, beside the standard ones. The first is readyPipe.
const (
	orderPipe = readyPipe + 1 + iota // written
	deedPipe                         // read
	keptFile                         // the Split
)

// halves is what a process knows of its Split.
type halves struct {
	parent   *parent    // of a child
	previous *env.Split // of a program that was started over
}

// Split starts the program again as the child, waits until that is ready, and executes the program
// "NAME-root" beside it in the place of this one: Go cannot fork, and the part that keeps its
// rights for as long as the machine is up is better the smaller one.
func (h *host) Split(e env.Env, s env.Split) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	keeper := filepath.Join(filepath.Dir(exe), h.prog+"-root")
	if resolved, err := filepath.EvalSymlinks(exe); err == nil {
		keeper = filepath.Join(filepath.Dir(resolved), h.prog+"-root")
	}
	if err := unix.Access(keeper, unix.X_OK); err != nil {
		return fmt.Errorf("%s cannot be run: %w; it is installed beside %s", keeper, err, h.prog)
	}
	kept, err := keep(&s)
	if err != nil {
		return err
	}
	orders, deeds, ready, err := pipes()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(h.childEnviron(), splitVar+"="+s.User)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{ready[1], orders[1], deeds[0], kept}
	if err := cmd.Start(); err != nil {
		return err
	}
	// From here until the parent passes them on, signals are for the child alone: one that ended this
	// process now would leave it without a parent.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1,
		syscall.SIGUSR2)
	ready[1].Close()
	if n, _ := ready[0].Read(make([]byte, 1)); n != 1 {
		os.Exit(exitCode(cmd.Wait()))
	}
	pid := []byte(strconv.Itoa(cmd.Process.Pid) + "\n")
	if s.PIDFile != "" {
		if err := h.WriteFile(s.PIDFile, pid, 0o644); err != nil {
			h.log.Warn(fmt.Sprintf("cannot write the PID file %s, so that %s -c will not find process %s: %v",
				s.PIDFile, h.prog, strings.TrimSpace(string(pid)), err))
		}
	}
	j := &root.Job{Child: cmd.Process.Pid, Flag: s.Flag, Text: s.Text, Command: s.Command,
		Tries: s.Tries,
		Pause: e.(*machine).clock.Real(s.Pause), PIDFile: s.PIDFile, Program: exe, Typed: os.Args[0], Name: h.prog,
		Orders: int(orders[0].Fd()), Deeds: int(deeds[1].Fd()), Keep: int(kept.Fd())}
	err = h.become(keeper, j)
	cmd.Process.Kill()
	return fmt.Errorf("%s cannot be run: %w", keeper, err)
}

// become executes the keeper. It returns only if that fails.
func (h *host) become(keeper string, j *root.Job) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	lasting := []int{j.Orders, j.Deeds, j.Keep}
	j.Log = "stderr"
	notifySystemd("READY=1\nMAINPID=" + strconv.Itoa(os.Getpid()))
	if h.detached {
		if j.Log = os.Getenv(logVar); j.Log != "stderr" && j.Log != "none" {
			j.Log = "syslog"
		}
		h.leaveTerminal(j.Log)
		if !h.again {
			j.Ready = readyPipe
			lasting = append(lasting, readyPipe)
		}
	}
	for _, fd := range lasting {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return err
		}
	}
	if h.detached {
		j.Mark = detachVar + "=3"
	}
	return syscall.Exec(keeper, append([]string{keeper}, os.Args[1:]...), j.Environ())
}

// childEnviron is the environment of the child. The process that a service manager looks at for
// signs of life is this one, but it is the child that gives them.
func (h *host) childEnviron() []string {
	var list []string
	for _, kv := range os.Environ() {
		if key, _, _ := strings.Cut(kv, "="); key != "WATCHDOG_PID" ||
			os.Getenv(key) != strconv.Itoa(os.Getpid()) {
			list = append(list, kv)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.detached {
		list = append(list, detachVar+"=3")
	}
	if h.again {
		list = append(list, root.OverVar+"=")
	}
	return list
}

// pipes makes those between the two processes.
func pipes() (orders, deeds, ready [2]*os.File, err error) {
	for _, p := range []*[2]*os.File{&orders, &deeds, &ready} {
		if p[0], p[1], err = os.Pipe(); err != nil {
			return
		}
	}
	return
}

// keep writes a Split into a file without a name.
func keep(s *env.Split) (*os.File, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("split", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "split")
	_, err = f.Write(b)
	return f, err
}

// kept reads it again.
func kept(fd uintptr) (*env.Split, error) {
	f := os.NewFile(fd, "split")
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	if err != nil {
		return nil, err
	}
	s := new(env.Split)
	return s, json.Unmarshal(b, s)
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	return 1
}

// recognise finds out, before anything else is done, whether this process is a part of a Split. A
// child gives up its rights here.
func (h *host) recognise() error {
	over, again := os.LookupEnv(root.OverVar)
	os.Unsetenv(root.OverVar)
	if again && os.Getenv(detachVar) != "" && os.Getenv(logVar) == "" {
		// There is no terminal any more on which somebody waits for the start.
		h.log.Handler().(*lineHandler).toSyslog()
	}
	user, child := os.LookupEnv(splitVar)
	switch {
	case again && !child:
		h.again, h.detached = true, os.Getenv(detachVar) != ""
		os.Unsetenv(detachVar)
		fd, err := strconv.Atoi(over)
		if err == nil {
			h.previous, err = kept(uintptr(fd))
		}
		return err
	case !child:
		return nil
	}
	os.Unsetenv(splitVar)
	for fd := readyPipe; fd <= keptFile; fd++ {
		unix.CloseOnExec(fd)
	}
	if os.Getenv(detachVar) != "" {
		h.keepToItself()
	}
	s, err := kept(keptFile)
	if err != nil {
		return err
	}
	h.parent = &parent{split: *s, orders: os.NewFile(orderPipe, "orders"),
		deeds: os.NewFile(deedPipe, "deeds")}
	if user == "" {
		return nil
	}
	return h.Become(user)
}

func (h *host) Root() bool { return os.Geteuid() == 0 }

func (h *host) Parent() env.Parent {
	if h.parent == nil {
		return nil
	}
	return h.parent
}

func (h *host) Previous() (env.Split, bool) {
	if h.previous == nil {
		return env.Split{}, false
	}
	return *h.previous, true
}

// parent is the other part, by the pipes to it.
type parent struct {
	split         env.Split
	orders, deeds *os.File
}

func (p *parent) Split() env.Split { return p.split }

func (p *parent) Order(env.Env) error {
	_, err := p.orders.Write([]byte{root.Order})
	if errors.Is(err, syscall.EPIPE) {
		return env.ErrClosed
	}
	return err
}

func (p *parent) Next(env.Env) (env.Deed, error) {
	b := make([]byte, 2)
	if _, err := io.ReadFull(p.deeds, b); err != nil {
		return env.Deed{}, env.ErrClosed
	}
	d := env.Deed{Step: env.Step(b[0])}
	switch n := int(b[1]); {
	case b[0] == root.NotRun:
		d.Step, d.Err = env.Ended, syscall.Errno(n)
	case b[0] == root.Ended:
		d.Status = env.ExitStatus(n)
	case b[0] == root.Flagged && n != 0:
		d.Err = syscall.Errno(n)
	}
	return d, nil
}
