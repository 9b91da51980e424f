package world

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A Host is a virtual computer. It is off until Boot.
type Host struct {
	w     *World
	name  string
	addr  string
	up    bool
	life  int // counts boots: a connection of an earlier life is unknown to the present one
	files map[string]*file
	nodes uint64
	procs []*Process

	lastPid  int
	lastPort int
	lis      map[string]*listener
	locks    map[string]*Process
	drift    int64         // parts per million by which its clock is fast
	wall     time.Duration // by how much its calendar is off
	slept    time.Duration // for how long it was suspended
}

type file struct {
	data []byte
	mode fs.FileMode
	time time.Time
	node uint64 // counts files: tells one from another that took its name

	denied bool // to the child of a Split
}

// newFile makes a file.
func (h *Host) newFile(data []byte, mode fs.FileMode, at time.Time) *file {
	h.nodes++
	return &file{data: data, mode: mode, time: at, node: h.nodes}
}

// Host adds a computer to the world. Its address is 10.0.x.y.
func (w *World) Host(name string) *Host {
	n := len(w.hosts) + 1
	h := &Host{w: w, name: name, addr: fmt.Sprintf("10.0.%d.%d", n/250, n%250+1),
		files: map[string]*file{}, lis: map[string]*listener{}, locks: map[string]*Process{},
		lastPort: 40000}
	w.hosts = append(w.hosts, h)
	w.names[name], w.names[h.addr] = h, h
	return h
}

// Name is the host's name; Addr its address.
func (h *Host) Name() string { return h.name }

// Addr is the host's IPv4 address.
func (h *Host) Addr() string { return h.addr }

// Up reports that the computer has power and is switched on.
func (h *Host) Up() bool { return h.up }

// SetDrift makes the host's clock fast by so many parts per million.
func (h *Host) SetDrift(ppm int64) { h.drift = ppm }

// JumpWall moves the host's calendar.
func (h *Host) JumpWall(d time.Duration) { h.wall += d }

// Suspended makes it so that the computer was asleep for so long: its calendar went on, while its
// monotonic clock and its programs did not.
func (h *Host) Suspended(d time.Duration) {
	h.wall += d
	h.slept += d
}

// Deny makes a file one that only root may read, not the child of a Split, and that nobody may lock.
func (h *Host) Deny(name string) {
	if f, ok := h.files[path.Clean(name)]; ok {
		f.denied = true
	}
}

// million is what a drift is parts of.
const million = 1_000_000

// local is the host's own clock at a time of the world. The division comes first: the product of a
// week and a drift does not fit.
func (h *Host) local(t env.Instant) env.Instant {
	if h.drift == 0 || t <= 0 {
		return t
	}
	rate := env.Instant(million + h.drift)
	return t/million*rate + t%million*rate/million
}

// global is the first time of the world at which the host's clock is not before t: a task that is
// woken then finds that its time has come.
func (h *Host) global(t env.Instant) int64 {
	if h.drift == 0 || t == env.Never || t <= 0 {
		return int64(t)
	}
	rate := env.Instant(million + h.drift)
	if t/rate >= env.Never/million-1 {
		return int64(env.Never)
	}
	return int64(t/rate*million + (t%rate*million+rate-1)/rate)
}

// PowerOn switches the computer on: its volatile files are gone, nothing runs yet.
func (h *Host) PowerOn() {
	h.up = true
	h.life++
	h.emptyRun()
}

func (h *Host) emptyRun() {
	for name := range h.files { //house: order does not matter: each entry is judged alone
		if strings.HasPrefix(name, "/run/") {
			delete(h.files, name)
		}
	}
}

// Clear is what a system does at the end of a halt: it kills every process but those of one
// program, and forgets its volatile files.
func (h *Host) Clear(but string) {
	for _, p := range slices.Clone(h.procs) {
		if p.prog != but {
			p.Kill()
		}
	}
	h.emptyRun()
}

// PowerOff takes the power away: every process vanishes, peers are told nothing.
func (h *Host) PowerOff() {
	h.up = false
	for _, p := range slices.Clone(h.procs) {
		p.vanish(128 + 9)
	}
	clear(h.lis)
}

// Find returns the running processes with a program name, oldest first.
func (h *Host) Find(prog string) []*Process {
	var found []*Process
	for _, p := range h.procs {
		if p.prog == prog {
			found = append(found, p)
		}
	}
	return found
}

// Processes are those that run, oldest first.
func (h *Host) Processes() []*Process { return h.procs }

// File returns the content of a file, and WriteFile sets it: the world's own hand in the computer.
func (h *Host) File(name string) ([]byte, bool) {
	f, ok := h.files[path.Clean(name)]
	if !ok {
		return nil, false
	}
	return slices.Clone(f.data), true
}

// WriteFile sets the content of a file.
func (h *Host) WriteFile(name string, b []byte) {
	h.files[path.Clean(name)] = h.newFile(slices.Clone(b), 0o640, Epoch.Add(time.Duration(h.w.Now())))
}

// Remove takes a file away.
func (h *Host) Remove(name string) { delete(h.files, path.Clean(name)) }

// maxDescriptors is what a process of a virtual host may have open; nothing counts them.
const maxDescriptors = 1 << 16

// hostView is env.Host for one process.
type hostView struct{ p *Process }

func (v hostView) Name() string      { return v.p.host.name }
func (v hostView) Stdin() io.Reader  { return strings.NewReader("") }
func (v hostView) Stdout() io.Writer { return v.p.out }
func (v hostView) Stderr() io.Writer { return v.p.errOut }
func (v hostView) Pid() int          { return v.p.pid }
func (v hostView) Isatty() bool      { return false }
func (v hostView) Account() string   { return "root" }
func (v hostView) Descriptors() int  { return maxDescriptors }

func (v hostView) ReadPassword() (string, error) { return "", io.EOF }

// Getenv knows what the process was started with; the last setting of a key counts.
func (v hostView) Getenv(key string) string {
	for _, kv := range slices.Backward(v.p.env) {
		if k, val, _ := strings.Cut(kv, "="); k == key {
			return val
		}
	}
	return ""
}

// gone is the error of a program whose computer or process is no more.
var errGone = fmt.Errorf("the process is dead: %w", env.ErrStopped)

func (v hostView) lookup(op, name string) (*file, error) {
	if v.p.dead {
		return nil, errGone
	}
	f, ok := v.p.host.files[path.Clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOENT}
	}
	return f, nil
}

func (v hostView) ReadFile(name string) ([]byte, error) {
	f, err := v.lookup("open", name)
	if err != nil {
		return nil, err
	}
	if f.denied && v.Parent() != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
	}
	return slices.Clone(f.data), nil
}

func (v hostView) WriteFile(name string, b []byte, perm fs.FileMode) error {
	if v.p.dead {
		return errGone
	}
	h := v.p.host
	h.files[path.Clean(name)] = h.newFile(slices.Clone(b), perm, v.wall())
	return nil
}

func (v hostView) wall() time.Time {
	return Epoch.Add(time.Duration(v.p.host.local(v.p.host.w.Now())) + v.p.host.wall)
}

func (v hostView) AppendFile(name string, b []byte, perm fs.FileMode) error {
	f, err := v.lookup("open", name)
	if errors.Is(err, fs.ErrNotExist) {
		return v.WriteFile(name, b, perm)
	} else if err != nil {
		return err
	}
	f.data, f.time = append(f.data, b...), v.wall()
	return nil
}

func (v hostView) Remove(name string) error {
	if _, err := v.lookup("remove", name); err != nil {
		return err
	}
	delete(v.p.host.files, path.Clean(name))
	delete(v.p.host.lis, name) // who listens on a socket without a name is not found any more
	return nil
}

func (v hostView) MkdirAll(string, fs.FileMode) error { return nil }

func (v hostView) Chmod(name string, perm fs.FileMode) error {
	f, err := v.lookup("chmod", name)
	if err == nil {
		f.mode = perm
	}
	return err
}

func (v hostView) Chgrp(name, _ string) error {
	_, err := v.lookup("chgrp", name)
	return err
}

// Stat knows files, and as folders whatever has files below it.
func (v hostView) Stat(name string) (env.FileInfo, error) {
	f, err := v.lookup("stat", name)
	if err == nil {
		return env.FileInfo{Size: int64(len(f.data)), Mode: f.mode, ModTime: f.time, Node: f.node}, nil
	}
	if names, _ := v.ReadDir(name); len(names) > 0 || path.Clean(name) == "/run/nut" {
		return env.FileInfo{Mode: fs.ModeDir | 0o755}, nil
	}
	return env.FileInfo{}, err
}

func (v hostView) ReadDir(name string) ([]string, error) {
	if v.p.dead {
		return nil, errGone
	}
	prefix := path.Clean(name) + "/"
	var names []string
	for full := range v.p.host.files { //house: order does not matter: sorted below
		if rest, ok := strings.CutPrefix(full, prefix); ok {
			base, _, _ := strings.Cut(rest, "/")
			names = append(names, base)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (v hostView) Run(e env.Env, c env.Command, until env.Instant) (env.ExitStatus, error) {
	if v.p.dead {
		return 0, errGone
	}
	return v.p.run(e.(*machine), c, until)
}

func (v hostView) find(pid int) *Process {
	for _, p := range v.p.host.procs {
		if p.pid == pid {
			return p
		}
	}
	return nil
}

func (v hostView) Process(pid int) (string, bool) {
	if p := v.find(pid); p != nil {
		return p.prog, true
	}
	return "", false
}

func (v hostView) Arguments(pid int) []string {
	if p := v.find(pid); p != nil {
		return p.args
	}
	return nil
}

func (v hostView) LogFrom(level slog.Level) { v.p.least = level }

func (v hostView) Kill(pid int, s env.Signal) error {
	p := v.find(pid)
	if p == nil || v.p.dead {
		return env.ErrNoProcess
	}
	p.Signal(s)
	return nil
}

func (v hostView) Signals() *env.Inbox[env.Signal] {
	if v.p.signals == nil {
		v.p.signals = env.NewInbox[env.Signal](&machine{p: v.p}, 64)
	}
	return v.p.signals
}

// lockGrain is how often a lock that another process has is tried again.
const lockGrain = 20 * time.Millisecond

// Lock is free when the process that took it is dead.
func (v hostView) Lock(e env.Env, name string, until env.Instant) (unlock func(), err error) {
	h, name := v.p.host, path.Clean(name)
	if f := h.files[name]; f != nil && f.denied {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	for {
		if v.p.dead {
			return nil, errGone
		}
		if owner := h.locks[name]; owner == nil || owner.dead {
			break
		}
		if e.Now() >= until {
			return nil, fmt.Errorf("%s: another process has the lock: %w", name, env.ErrTimeout)
		}
		if err := e.Sleep(lockGrain); err != nil {
			return nil, err
		}
	}
	h.locks[name] = v.p
	return func() {
		if h.locks[name] == v.p {
			delete(h.locks, name)
		}
	}, nil
}

func (v hostView) Become(string) error { return nil }

func (v hostView) Confine(root, _ string) error {
	if root != "" {
		return fmt.Errorf("chroot %s: not on a virtual host", root)
	}
	return nil
}

func (v hostView) Detach(env.Env) error {
	v.p.detached = true
	return nil
}

// Ready sends a process to the background that has said it would go there.
func (v hostView) Ready(env.Env, string) {
	p := v.p
	if p.half != nil && p.half.child == p {
		p = p.half.parent // who was started, and is waited for
	}
	p.background = p.detached
	p.wakeWaiters()
}

func (v hostView) Tell(env.Phase, string) {}

func (v hostView) Watchdog() time.Duration { return 0 }

func (v hostView) Slept() time.Duration { return v.p.host.slept }
