package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/service"
	"github.com/blackstart-ups/blackstart/scenarios/interop/child"
)

// Limits of waits. They are long because they are only reached when something is broken.
const (
	startLimit = 30 * time.Second // a program comes up, on a busy machine
	runLimit   = 20 * time.Second // a client answers
	stopLimit  = 5 * time.Second  // a daemon obeys TERM, before it is killed
)

// A kit is one implementation of NUT: where its programs are.
type kit struct {
	name                      string
	upsd, upsmon, upsc, dummy string
}

// path returns a folder in which the clients of a kit have their names.
func (k kit) path(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(binDir, "path", k.name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, prog := range []string{"upsc", "upscmd", "upsrw", "upslog"} {
		at := filepath.Join(filepath.Dir(k.upsc), prog)
		if err := os.Symlink(at, filepath.Join(dir, prog)); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	return dir
}

// debian is the oracle. The daemons are named by the paths that its start scripts do not guard.
var debian = kit{
	name: "Debian", upsd: "/lib/nut/upsd", upsmon: "/lib/nut/upsmon", upsc: "/usr/bin/upsc",
	dummy: "/lib/nut/dummy-ups",
}

// binDir is where our programs are built.
var binDir string

func TestMain(m *testing.M) {
	var err error
	if binDir, err = os.MkdirTemp("", "interop-bin"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	fmt.Print(&museumTable)
	os.RemoveAll(binDir)
	os.Exit(code)
}

// built makes our programs once for all tests.
var built = sync.OnceValues(func() (kit, error) {
	for _, prog := range []string{"upsd", "upsmon", "upsmon-root", "upsc", "upscmd", "upsrw", "upslog",
		"upsdrv", "upsdrvctl", "upsim"} {
		cmd := exec.Command("go", "build", "-o", binDir+"/", "../../cmd/"+prog)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return kit{}, fmt.Errorf("go build %s: %w\n%s", prog, err, out)
		}
	}
	k := kit{name: "blackstart", upsd: binDir + "/upsd", upsmon: binDir + "/upsmon", upsc: binDir + "/upsc",
		dummy: binDir + "/dummy-ups"}
	return k, errors.Join(os.Symlink("upsdrv", k.dummy), os.Symlink("upsdrv", binDir+"/nutdrv_qx"),
		os.Symlink("upsdrv", binDir+"/blazer_ser"), os.Symlink("upsdrv", binDir+"/blazer_usb"),
		os.Symlink("upsdrv", binDir+"/apcsmart"),
		os.Symlink("upsdrv", binDir+"/apcsmart-old"),
		os.Symlink("upsdrv", binDir+"/genericups"))
})

// kits returns our programs and Debian's, or skips.
func kits(t *testing.T) (ours, theirs kit) {
	t.Helper()
	if testing.Short() {
		t.Skip("interoperability starts real processes: not with -short")
	}
	for _, p := range []string{debian.upsd, debian.upsmon, debian.upsc, debian.dummy} {
		if _, err := os.Stat(p); err != nil {
			missing(t, "Debian's NUT is not installed: %v (make interop installs it)", err)
		}
	}
	ours, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return ours, debian
}

// missing skips, unless what is missing was promised to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("BLACKSTART_INTEROP") == "required" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// A bench is a configuration folder, a state folder and a port, and what runs there.
type bench struct {
	t    *testing.T
	dir  string
	conf string
	run  string
	port string
	vars []string // of the environment, besides those of env

	daemons []*daemon
}

// newBench makes a bench with the files of its configuration folder. @port@ in a file becomes the
// port of upsd, @conf@ the folder.
func newBench(t *testing.T, files map[string]string) *bench {
	t.Helper()
	// A socket's name must fit into 108 bytes, which t.TempDir may not leave.
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: dir, conf: dir + "/conf", run: dir + "/run", port: freePort(t)}
	t.Cleanup(func() {
		b.stop()
		os.RemoveAll(dir)
	})
	for _, d := range []string{b.conf, b.run} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		b.write(name, text)
	}
	return b
}

// write puts a file into the configuration folder, at once and whole.
func (b *bench) write(name, text string) {
	b.t.Helper()
	text = strings.NewReplacer("@port@", b.port, "@conf@", b.conf).Replace(text)
	tmp := filepath.Join(b.dir, name)
	err := os.WriteFile(tmp, []byte(text), 0o600)
	if err = errors.Join(err, os.Rename(tmp, filepath.Join(b.conf, name))); err != nil {
		b.t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// ups is what a client calls a UPS of this bench.
func (b *bench) ups(name string) string { return name + "@127.0.0.1:" + b.port }

// env is the environment of the bench's processes: nothing of NUT's from outside.
func (b *bench) env() []string {
	vars := append(child.Environ(), "NUT_CONFPATH="+b.conf, "NUT_STATEPATH="+b.run, "NUT_ALTPIDPATH="+b.run,
		"NUT_PIDPATH="+b.run, service.AccountVar+"=root", "NUT_QUIET_INIT_SSL=true", "LC_ALL=C")
	return append(vars, b.vars...)
}

// asRoot are the flags that keep a daemon from giving up root, which a test may be.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"-u", "root"}
	}
	return nil
}

// A daemon is a process in the foreground and what it has said.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{}
	said *lines
}

// start runs a program until the test ends.
func (b *bench) start(prog string, args ...string) *daemon {
	b.t.Helper()
	d := &daemon{cmd: exec.Command(prog, args...), done: make(chan struct{}), said: newLines()}
	d.cmd.Env, d.cmd.Dir = b.env(), b.dir
	d.cmd.Stdout, d.cmd.Stderr = d.said, d.said
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.WaitDelay = time.Second
	if err := child.Start(d.cmd); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		d.cmd.Wait()
		close(d.done)
	}()
	b.daemons = append(b.daemons, d)
	return d
}

// stop ends all daemons, and whatever they started: in good order those that can.
func (b *bench) stop() {
	for _, d := range b.daemons {
		d.cmd.Process.Signal(syscall.SIGTERM)
	}
	limit := time.After(stopLimit)
	for _, d := range b.daemons {
		select {
		case <-d.done:
		case <-limit:
		}
		syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.done
		if said := d.said.String(); b.t.Failed() && said != "" {
			b.t.Logf("%s said:\n%s", strings.Join(d.cmd.Args, " "), said)
		}
	}
}

// waitFor waits until the daemon has said a text.
func (d *daemon) waitFor(t *testing.T, text string) {
	t.Helper()
	select {
	case <-d.said.wait(text):
	case <-d.done:
		t.Fatalf("%s ended before it said %q; it said:\n%s", d.cmd.Path, text, d.said)
	case <-time.After(startLimit):
		t.Fatalf("%s did not say %q in %v; it said:\n%s", d.cmd.Path, text, startLimit, d.said)
	}
}

// lines collects what a process prints and tells who waits for a text.
type lines struct {
	mu      sync.Mutex
	b       bytes.Buffer
	waiters map[string]chan struct{}
}

func newLines() *lines { return &lines{waiters: map[string]chan struct{}{}} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Write(p)
	for text, c := range l.waiters {
		if bytes.Contains(l.b.Bytes(), []byte(text)) {
			close(c)
			delete(l.waiters, text)
		}
	}
	return len(p), nil
}

// wait returns a channel that is closed once text has been printed. One may wait for a text.
func (l *lines) wait(text string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan struct{})
	if bytes.Contains(l.b.Bytes(), []byte(text)) {
		close(c)
	} else {
		l.waiters[text] = c
	}
	return c
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// An answer is what a client printed and how it ended.
type answer struct {
	out, err string
	code     int
}

func (a answer) String() string {
	return fmt.Sprintf("exit %d\nstdout:\n%sstderr:\n%s", a.code, a.out, a.err)
}

// ask runs a client.
func (b *bench) ask(prog string, args ...string) answer {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, prog, args...)
	var out, errOut bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = b.env(), b.dir, &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		b.t.Errorf("%s %s: %v, %v", prog, strings.Join(args, " "), err, ctx.Err())
	}
	return answer{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// drivers starts a driver for each UPS and returns when all their sockets are there.
func (b *bench) drivers(program string, names ...string) {
	b.t.Helper()
	sockets := watch(b.t, b.run)
	for _, name := range names {
		b.start(program, append(asRoot(), "-F", "-a", name)...)
	}
	waiting := map[string]bool{}
	for _, name := range names {
		waiting[filepath.Base(program)+"-"+name] = true
	}
	for len(waiting) > 0 {
		name, err := sockets()
		if err != nil {
			b.t.Fatalf("%d of %d drivers made no socket, such as %v: %v", len(waiting), len(names), anyOf(waiting), err)
		}
		delete(waiting, name)
	}
}

func anyOf(set map[string]bool) string {
	for name := range set {
		return name
	}
	return ""
}

// watch tells the name of each file that is made in a folder from now on.
func watch(t *testing.T, dir string) (next func() (string, error)) {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	t.Cleanup(func() { f.Close() })
	if _, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_CREATE|syscall.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	var buf []byte
	return func() (string, error) {
		if len(buf) == 0 {
			buf = make([]byte, 64<<10)
			f.SetReadDeadline(time.Now().Add(startLimit))
			n, err := f.Read(buf)
			if err != nil {
				return "", err
			}
			buf = buf[:n]
		}
		// An event is watch, mask, cookie and length of the name, four bytes each; then the name.
		size := syscall.SizeofInotifyEvent + int(buf[12]) + int(buf[13])<<8
		name := strings.TrimRight(string(buf[syscall.SizeofInotifyEvent:size]), "\x00")
		buf = buf[size:]
		return name, nil
	}
}

// serve starts upsd and returns when every UPS has data.
func (b *bench) serve(k kit, names ...string) *daemon {
	b.t.Helper()
	d := b.start(k.upsd, append(asRoot(), "-F")...)
	d.waitFor(b.t, "listening on 127.0.0.1 port "+b.port)
	for _, name := range names {
		b.fresh(name)
	}
	return d
}

// fresh waits until a UPS has data; the C upsd serves the status WAIT before. It tells nobody when a
// driver's first dump is complete, so this is the one place that asks again and again.
func (b *bench) fresh(name string) {
	b.t.Helper()
	reply := ""
	for begin := time.Now(); time.Since(begin) < startLimit; time.Sleep(20 * time.Millisecond) {
		reply = b.talk("GET VAR " + name + " ups.status\n")
		if strings.HasPrefix(reply, "VAR ") && !strings.Contains(reply, "WAIT") {
			return
		}
	}
	b.t.Fatalf("%s has no data after %v: %s", name, startLimit, reply)
}

// talk sends requests on a connection of its own and returns the answers up to the close.
func (b *bench) talk(requests string) string {
	b.t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+b.port)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(runLimit))
	if _, err := io.WriteString(c, requests+"LOGOUT\n"); err != nil {
		return err.Error()
	}
	reply, err := io.ReadAll(c)
	if err != nil {
		return err.Error()
	}
	return string(reply)
}

func listenOn(port string) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:"+port) }
