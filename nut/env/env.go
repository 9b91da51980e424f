// Package env is the machine a program runs on: time, tasks, network, files, processes, signals,
// randomness and log, as interfaces.
//
// Every daemon and driver of this project is handed an [Env] and touches the world through nothing
// else. Two implementations exist: osenv, the real machine, and scenarios/world, a virtual host in
// virtual time. Because the program cannot tell them apart, what is rehearsed is what runs.
//
// # How programs are written against it
//
// Blocking style, top to bottom. A task waits with Sleep, a Conn's Read, or an [Inbox] with a
// deadline; never with select, a bare channel or a timer. Deadlines are points in time ([Instant]),
// not durations, so that a loop does not stretch them. A lock is never held across a call that
// takes an Env: in virtual time that hangs the world.
//
// The Env passed to a task's function is that task's own. Waiting with another task's Env is a
// bug, and the simulator panics on it.
//
// Start reading at [Env], then [Inbox].
package env

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"time"
)

// An Instant is monotonic time: nanoseconds since a fixed origin of this machine (the start of the
// process, or of the rehearsal). It never jumps; [Env.Wall] may.
type Instant int64

// Never is a deadline that does not come.
const Never Instant = math.MaxInt64

// Add returns i+d, at most Never.
func (i Instant) Add(d time.Duration) Instant {
	if d > 0 && i > Never-Instant(d) {
		return Never
	}
	return i + Instant(d)
}

// Sub returns i-j.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }

// Errors that callers decide by. Every implementation reports these conditions with errors that
// wrap these values, whatever its own system calls them. A missing file wraps fs.ErrNotExist, the
// end of a stream is io.EOF. The texts are what users of the C tools know from strerror.
var (
	ErrStopped     = errors.New("stopped")                  // the task's scope, process or host ends
	ErrTimeout     = errors.New("Connection timed out")     //lint:ignore ST1005 strerror's words
	ErrRefused     = errors.New("Connection refused")       //lint:ignore ST1005 strerror's words
	ErrReset       = errors.New("Connection reset by peer") //lint:ignore ST1005 strerror's words
	ErrNoHost      = errors.New("No such host")             //lint:ignore ST1005 as the C client says
	ErrUnreachable = errors.New("No route to host")         //lint:ignore ST1005 strerror's words
	ErrAddrInUse   = errors.New("Address already in use")   //lint:ignore ST1005 strerror's words
	ErrNoProcess   = errors.New("No such process")          //lint:ignore ST1005 strerror's words
	ErrNoAccount   = errors.New("no such account")          // see Host.Confine
	ErrFull        = errors.New("Resource not available")   //lint:ignore ST1005 out of descriptors
	ErrClosed      = errors.New("use of closed connection")
)

// Env is the machine as one task sees it.
type Env interface {
	// Now is monotonic time; it is what timeouts and intervals are made of.
	Now() Instant
	// Wall is the calendar clock; it is for people (logs, file names) and may jump.
	Wall() time.Time
	// Sleep waits d and returns nil, or ErrStopped as soon as the task's scope is stopped.
	Sleep(d time.Duration) error
	// Go starts a task in this Env's scope. An error that f returns, other than ErrStopped, is
	// logged under name.
	Go(name string, f func(Env) error)
	// Scope returns an Env whose tasks can be stopped and waited for together.
	Scope(name string) (Env, Scope)
	// Waiter returns a new parking place; see Inbox for the usual way to wait.
	Waiter() Waiter
	// Rand is this task's stream of random numbers; in the simulator it is keyed by the seed.
	Rand() *rand.Rand
	Net() Net
	Host() Host
	// Log is for people: plain sentences, one a line.
	Log() *slog.Logger
	// Emit records an event for machines; see Event. T, Host and Prog are filled in.
	Emit(Event)
}

// A Scope is a group of tasks. Stop makes every wait of theirs return ErrStopped; Wait returns when
// the last one has ended. Stop closes nothing: the tasks close what they opened.
type Scope interface {
	Stop()
	Wait(e Env)
}

// A Waiter parks one task until another one wakes it. A Wake that finds nobody waiting is kept,
// once.
type Waiter interface {
	// Wait returns nil when woken, else an error wrapping ErrTimeout or ErrStopped.
	Wait(e Env, until Instant) error
	Wake()
}

// Net is the network of this machine. Networks are "tcp", "tcp4", "tcp6" with host:port addresses
// (IPv6 in brackets), and "unix" with a file name.
type Net interface {
	Dial(e Env, network, addr string, until Instant) (Conn, error)
	Listen(e Env, network, addr string) (Listener, error)
}

// A Listener accepts connections. Close leaves the file of a unix socket where it is.
type Listener interface {
	// Accept's error wraps ErrStopped, ErrTimeout, ErrClosed or, when it may be tried again after a
	// pause, ErrFull.
	Accept(e Env, until Instant) (Conn, error)
	Addr() string
	Close() error
}

// A Conn is a stream of bytes. One task may read while another writes; Close wakes both.
type Conn interface {
	// Read blocks until at least one byte has come, the peer has closed (io.EOF), or until is
	// reached (ErrTimeout); it never returns 0, nil.
	Read(e Env, p []byte, until Instant) (int, error)
	// Write blocks while the peer does not take the bytes. After an error the stream is unusable.
	Write(e Env, p []byte, until Instant) (int, error)
	Close() error
	// LocalAddr and RemoteAddr are ip:port; empty or a file name for unix sockets.
	LocalAddr() string
	RemoteAddr() string
}

// Host is the machine's files, processes and identity.
type Host interface {
	// Name is the host name.
	Name() string
	// Getenv returns an environment variable of this process, "" when unset.
	Getenv(key string) string
	Stdin() io.Reader
	Stdout() io.Writer
	Stderr() io.Writer

	// ReadFile reads a whole file. One that has no end is an error.
	ReadFile(name string) ([]byte, error)
	// WriteFile replaces the file's content; the bytes are on the disk when it returns.
	WriteFile(name string, b []byte, perm fs.FileMode) error
	// AppendFile adds to the end of a file, which is made when missing.
	AppendFile(name string, b []byte, perm fs.FileMode) error
	Remove(name string) error
	MkdirAll(name string, perm fs.FileMode) error
	Chmod(name string, perm fs.FileMode) error
	// Chgrp gives a file to a group of accounts, named or by number.
	Chgrp(name, group string) error
	Stat(name string) (FileInfo, error)
	// ReadDir returns the sorted base names in a folder.
	ReadDir(name string) ([]string, error)

	// Run starts a command and waits for it to end, or to go to the background (status 0). When the
	// caller is stopped or until is reached the command is killed and the error says so.
	Run(e Env, c Command, until Instant) (ExitStatus, error)
	// Descriptors is how many files and connections this process may have open: the system's hard
	// limit, to which the soft one has been raised.
	Descriptors() int
	// Pid is this process's number.
	Pid() int
	// Process returns the program name of a running process of this machine.
	Process(pid int) (name string, ok bool)
	// Arguments returns the arguments of a running process, without the program's name; nil when
	// they cannot be known.
	Arguments(pid int) []string
	// Kill sends a signal; ErrNoProcess when there is no such process.
	Kill(pid int, s Signal) error
	// Signals is the mailbox of the signals sent to this process. Until it is first asked for,
	// signals have their usual effect. All but Kill and Alive arrive here.
	Signals() *Inbox[Signal]
	// Lock takes a lock that other processes of this machine know by the name of a file, which is
	// made when missing and stays. It is given back by unlock, or when the process ends, however it
	// ends. The error wraps ErrTimeout when another process had it all the time.
	Lock(e Env, name string, until Instant) (unlock func(), err error)
	// Root reports whether this process has all rights.
	Root() bool
	// Split divides the program; see Split. It returns only an error: the caller goes on as another
	// program, and its own one is started again as the child.
	Split(e Env, s Split) error
	// Parent is the other part when this process is the child of a Split, else nil.
	Parent() Parent
	// Previous is what the program was divided with before its child asked to StartOver.
	Previous() (s Split, ok bool)
	// Become gives up root for the named account, for the whole process.
	Become(user string) error
	// Confine makes root the process's root folder, unless it is empty, and then becomes the
	// account, which it looks up before. The error wraps ErrNoAccount when there is no such account;
	// then nothing was done. Like Become it leaves the account alone where the process is not root.
	Confine(root, user string) error
	// Detach makes this process one that will go to the background: on a real machine the caller
	// continues as a child in its own session, while the command that was typed waits for Ready
	// or for the child's exit, and exits with 0 or the child's code. Errors printed before Ready
	// therefore reach the person who typed the command.
	Detach(e Env) error
	// Ready says that start-up is over: the command that was typed returns, and a service manager
	// is told. state is a sentence for its status line.
	Ready(e Env, state string)
	// LogFrom leaves log lines below a level out from now on, for the whole process.
	LogFrom(level slog.Level)
	// Account is the name of the account that this process runs as, "" when it has none.
	Account() string
	// Tell tells a service manager what the program does after start-up, and a sentence for its status
	// line, unless that is empty.
	Tell(p Phase, state string)
	// Watchdog is how often a service manager wants to be told Turning; 0 for not at all.
	Watchdog() time.Duration
	// Slept is how long the machine was suspended so far: time that Now does not count.
	Slept() time.Duration
	// Isatty reports whether standard input is a terminal; ReadPassword reads a line without echo.
	Isatty() bool
	ReadPassword() (string, error)
}

// FileInfo describes a file.
type FileInfo struct {
	Size    int64
	Mode    fs.FileMode
	ModTime time.Time
	Node    uint64 // tells a file from one that took its name; 0 when unknown
}

// A Command is a program to run: Args, or a line for the shell.
type Command struct {
	Args  []string // program and arguments
	Shell string   // when Args is empty: a line for /bin/sh -c
	Env   []string // KEY=value, added to this process's own
	Stdin []byte
	// Stdout and Stderr: nil means this process's own.
	Stdout, Stderr io.Writer
}

// ExitStatus is how a command ended: its exit code, 128+n when signal n killed it.
type ExitStatus int

// A Signal is what one process tells another.
type Signal string

// The signals that programs of this project send or handle.
const (
	Hangup    Signal = "HUP"
	Terminate Signal = "TERM"
	Interrupt Signal = "INT"
	Quit      Signal = "QUIT"
	Kill      Signal = "KILL"
	User1     Signal = "USR1"
	User2     Signal = "USR2"
	Resized   Signal = "WINCH" // a terminal's window; drivers print what they know
	Alive     Signal = "0"     // tests for existence, tells nothing
)

// A Main is a program: it gets its machine and its arguments (without the program's name) and
// returns its exit code. The same function is called by a real main and by the simulator.
type Main func(e Env, args []string) int
