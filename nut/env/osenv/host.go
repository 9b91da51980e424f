package osenv

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// host is env.Host on the real machine.
type host struct {
	*process
	halves
	extra       []string
	out, errOut *os.File // of the commands it runs

	mu       sync.Mutex // guards what follows
	signals  *env.Inbox[env.Signal]
	detached bool // this is the child that Detach made, and readyPipe is open
	again    bool // it was started over, and readyPipe is not
	ready    bool
}

func (h *host) Name() string      { return h.process.host }
func (h *host) Stdin() io.Reader  { return os.Stdin }
func (h *host) Stdout() io.Writer { return os.Stdout }
func (h *host) Stderr() io.Writer { return os.Stderr }

func (h *host) Getenv(key string) string {
	for _, kv := range h.extra {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			return v
		}
	}
	return os.Getenv(key)
}

// ReadFile does not wait for who writes to a FIFO: others may have put it there.
func (h *host) ReadFile(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeNamedPipe != 0 {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("this is a FIFO")}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = &fs.PathError{Op: "read", Path: name,
			Err: fmt.Errorf("there are more than %d bytes", maxFile)}
	}
	return b, err
}

// maxFile is more than any file has that a program reads whole; /dev/zero has no end.
const maxFile = 64 << 20

// WriteFile writes a new file beside the old one and renames it, so that a power cut leaves
// either the old content or the new.
func (h *host) WriteFile(name string, b []byte, perm fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(b); err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes a rename in the folder survive a power cut.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

func (h *host) AppendFile(name string, b []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func (h *host) Remove(name string) error                     { return os.Remove(name) }
func (h *host) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (h *host) Chmod(name string, perm fs.FileMode) error    { return os.Chmod(name, perm) }
func (h *host) Pid() int                                     { return os.Getpid() }

func (h *host) Chgrp(name, group string) error {
	gid, err := strconv.Atoi(group)
	if err != nil {
		g, err := user.LookupGroup(group)
		if err != nil {
			return fmt.Errorf("group %s not found", group)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return err
		}
	}
	return os.Lchown(name, -1, gid)
}

// Descriptors relies on package os, which has raised the soft limit before main begins.
func (h *host) Descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil ||
		limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}

func (h *host) Stat(name string) (env.FileInfo, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return env.FileInfo{}, err
	}
	info := env.FileInfo{Size: fi.Size(), Mode: fi.Mode(), ModTime: fi.ModTime()}
	if sys, ok := fi.Sys().(*syscall.Stat_t); ok {
		info.Node = sys.Ino
	}
	return info, nil
}

func (h *host) ReadDir(name string) ([]string, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// killGrace is how long a command's pipes may stay open after it ended: its children may hold them.
const killGrace = 100 * time.Millisecond

func (h *host) Run(e env.Env, c env.Command, until env.Instant) (env.ExitStatus, error) {
	m := e.(*machine)
	ctx := m.ctx
	if until != env.Never {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, m.clock.deadline(until))
		defer cancel()
	}
	args := c.Args
	if len(args) == 0 {
		args = []string{"/bin/sh", "-c", c.Shell}
	}
	cmd := exec.CommandContext(ctx, h.lookPath(args[0]), args[1:]...)
	cmd.Args[0] = args[0]
	cmd.Env = append(append(os.Environ(), h.extra...), c.Env...)
	cmd.Stdin = bytes.NewReader(c.Stdin)
	if c.Stdin == nil {
		cmd.Stdin = nil
	}
	cmd.Stdout, cmd.Stderr = orFile(c.Stdout, h.out), orFile(c.Stderr, h.errOut)
	cmd.WaitDelay = killGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case m.ctx.Err() != nil:
		return 0, fmt.Errorf("%s: %w", args[0], env.ErrStopped)
	case ctx.Err() != nil:
		return 0, fmt.Errorf("%s: killed: %w", args[0], env.ErrTimeout)
	case errors.As(err, &exit):
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return env.ExitStatus(128 + int(ws.Signal())), nil
		}
		return env.ExitStatus(exit.ExitCode()), nil
	case errors.Is(err, exec.ErrWaitDelay):
		return 0, nil // it ended well and left a child that holds its pipes
	}
	return 0, err
}

// killGroup ends a command with all that it started: a shell's children would otherwise go on with
// what took too long. A daemon that went to the background has left the group.
func killGroup(pid int) error {
	err := syscall.Kill(-pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// lookPath finds a program in the PATH of this host, which need not be that of the process.
func (h *host) lookPath(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	for _, dir := range filepath.SplitList(h.Getenv("PATH")) {
		full := filepath.Join(dir, name)
		if fi, err := os.Stat(full); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return full
		}
	}
	return name
}

func orFile(w io.Writer, f *os.File) io.Writer {
	if w == nil {
		return f
	}
	return w
}

// noAccount is the error for an account that does not exist, in NUT's words.
type noAccount string

func (n noAccount) Error() string { return "OS user " + string(n) + " not found" }
func (n noAccount) Unwrap() error { return env.ErrNoAccount }

// credential finds an account. Where this program finds none in the system's own list, the system's
// program id may know it, from a directory elsewhere perhaps.
func credential(name string) (*syscall.Credential, error) {
	uid, gid, groups := "", "", []string(nil)
	if u, err := user.Lookup(name); err == nil {
		uid, gid = u.Uid, u.Gid
		if groups, err = u.GroupIds(); err != nil {
			return nil, err
		}
	} else if !askID(name, &uid, &gid, &groups) {
		return nil, noAccount(name)
	}
	cred := new(syscall.Credential)
	for _, n := range []struct {
		text string
		to   *uint32
	}{{uid, &cred.Uid}, {gid, &cred.Gid}} {
		id, err := strconv.ParseUint(n.text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
		*n.to = uint32(id)
	}
	for _, id := range groups {
		if g, err := strconv.ParseUint(id, 10, 32); err == nil {
			cred.Groups = append(cred.Groups, uint32(g))
		}
	}
	return cred, nil
}

// idTime is what the system may take to look up an account.
const idTime = 5 * time.Second

// askID asks the program id for an account; false when there is none.
func askID(name string, uid, gid *string, groups *[]string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), idTime)
	defer cancel()
	ask := func(what string) string {
		out, err := exec.CommandContext(ctx, "id", what, "--", name).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	*uid, *gid = ask("-u"), ask("-g")
	*groups = strings.Fields(ask("-G"))
	return *uid != "" && *gid != ""
}

func (h *host) Become(name string) error { return h.Confine("", name) }

func (h *host) Confine(root, name string) error {
	var cred *syscall.Credential
	if os.Geteuid() == 0 {
		var err error
		if cred, err = credential(name); err != nil {
			return err
		}
	}
	if root != "" {
		if err := syscall.Chroot(root); err != nil {
			return fmt.Errorf("chroot %s: %w", root, err)
		}
		if err := os.Chdir("/"); err != nil {
			return err
		}
	}
	if cred == nil {
		return nil
	}
	return become(cred, name)
}

// become gives up root.
func become(cred *syscall.Credential, name string) error {
	groups := make([]int, len(cred.Groups))
	for i, g := range cred.Groups {
		groups[i] = int(g)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("setgroups for %s: %w", name, err)
	}
	if err := syscall.Setgid(int(cred.Gid)); err != nil {
		return fmt.Errorf("setgid for %s: %w", name, err)
	}
	if err := syscall.Setuid(int(cred.Uid)); err != nil {
		return fmt.Errorf("setuid for %s: %w", name, err)
	}
	return nil
}

func (h *host) Process(pid int) (string, bool) {
	if pid <= 0 {
		return "", false
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return "", false
	}
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		// A process that has ended and waits for its parent to look still has its number.
		if i := bytes.LastIndexByte(stat, ')'); i >= 0 && bytes.HasPrefix(stat[i:], []byte(") Z")) {
			return "", false
		}
	}
	if args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && len(args) > 0 {
		arg0, _, _ := bytes.Cut(args, []byte{0})
		return filepath.Base(string(arg0)), true
	}
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(comm)), err == nil
}

func (h *host) Arguments(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	words := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	if err != nil || len(b) == 0 {
		return nil
	}
	return words[1:]
}

func (h *host) LogFrom(level slog.Level) {
	if lh, ok := h.log.Handler().(*lineHandler); ok {
		lh.out.least.Store(int64(level))
	}
}

// numbers maps the signals of env to the system's.
var numbers = map[env.Signal]syscall.Signal{
	env.Hangup: syscall.SIGHUP, env.Terminate: syscall.SIGTERM, env.Interrupt: syscall.SIGINT,
	env.Quit: syscall.SIGQUIT, env.Kill: syscall.SIGKILL, env.User1: syscall.SIGUSR1,
	env.User2: syscall.SIGUSR2, env.Resized: syscall.SIGWINCH, env.Alive: 0,
}

func (h *host) Kill(pid int, s env.Signal) error {
	n, ok := numbers[s]
	if !ok {
		return fmt.Errorf("unknown signal %q", s)
	}
	err := syscall.Kill(pid, n)
	if errors.Is(err, syscall.ESRCH) {
		return env.ErrNoProcess
	}
	return err
}

// lockGrain is how often a lock that somebody else has is tried again.
const lockGrain = 20 * time.Millisecond

func (h *host) Lock(e env.Env, name string, until env.Instant) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			f.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		case e.Now() >= until:
			f.Close()
			return nil, fmt.Errorf("%s: another process has the lock: %w", name, env.ErrTimeout)
		}
		if err := e.Sleep(lockGrain); err != nil {
			f.Close()
			return nil, err
		}
	}
}

func (h *host) Signals() *env.Inbox[env.Signal] {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.signals != nil {
		return h.signals
	}
	h.signals = env.NewInbox[env.Signal](&machine{process: h.process}, 64)
	c := make(chan os.Signal, 16)
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(c, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH)
	go func(in *env.Inbox[env.Signal]) {
		for s := range c {
			for name, n := range numbers {
				if n == s {
					in.Put(name)
				}
			}
		}
	}(h.signals)
	return h.signals
}

// Account is that of the real user, as getpwuid has it.
func (h *host) Account() string {
	u, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		return ""
	}
	return u.Username
}

// readyPipe is the descriptor on which the child that Detach made says that it is ready.
const readyPipe = 3

// Detach re-executes the program in its own session. The one that was typed stays, waits for a byte
// on a pipe (start-up is over) or for the child's end, and exits.
func (h *host) Detach(env.Env) error {
	h.mu.Lock()
	done := h.detached
	h.mu.Unlock()
	if done {
		return nil
	}
	if os.Getenv(detachVar) != "" {
		h.keepToItself()
		return nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), detachVar+"=3")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.Close()
	if n, _ := bufio.NewReader(r).Read(make([]byte, 1)); n == 1 {
		os.Exit(0)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(max(1, exit.ExitCode()))
	}
	os.Exit(0)
	return nil
}

// keepToItself hides from the commands of a detached program that it is one: they would take
// themselves for detached, and hold the pipe on which its end is noticed.
func (h *host) keepToItself() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.detached = true
	unix.CloseOnExec(readyPipe)
	signal.Ignore(syscall.SIGPIPE) // who waited for the start may leave before it is over
	os.Unsetenv(detachVar)
}

func (h *host) Ready(_ env.Env, state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ready {
		return
	}
	h.ready = true
	switch {
	case h.parent != nil: // who is the main process, and tells that all is ready
		notifySystemd("STATUS=" + state)
	case h.detached:
		notifySystemd(fmt.Sprintf("READY=1\nMAINPID=%d\nSTATUS=%s", os.Getpid(), state))
	default:
		notifySystemd("READY=1\nSTATUS=" + state)
	}
	if h.detached {
		h.leaveTerminal(os.Getenv(logVar))
	}
	if h.again || !h.detached && h.parent == nil {
		return
	}
	pipe := os.NewFile(readyPipe, "ready")
	pipe.Write([]byte{1})
	pipe.Close()
}

// leaveTerminal sends further log lines where the variable NUT_DEBUG_SYSLOG says: to the system's
// log (default), to standard error as before (stderr), or nowhere (none).
func (h *host) leaveTerminal(to string) {
	leave := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	if to == "stderr" {
		leave = leave[:1]
	} else if lh, ok := h.log.Handler().(*lineHandler); ok && to != "none" {
		lh.toSyslog()
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer null.Close()
	for _, std := range leave {
		unix.Dup2(int(null.Fd()), int(std.Fd()))
	}
}

func (h *host) Isatty() bool {
	_, err := unix.IoctlGetTermios(int(os.Stdin.Fd()), unix.TCGETS)
	return err == nil
}

func (h *host) ReadPassword() (string, error) {
	fd := int(os.Stdin.Fd())
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		quiet := *old
		quiet.Lflag &^= unix.ECHO
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, &quiet); err != nil {
			return "", err
		}
		defer unix.IoctlSetTermios(fd, unix.TCSETS, old)
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}
