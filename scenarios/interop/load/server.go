package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/blackstart-ups/blackstart/scenarios/interop/child"
)

const (
	startLimit = 30 * time.Second
	stopLimit  = 5 * time.Second
	loopback   = "127.0.0.1"
)

// A server is one running upsd with its drivers.
type server struct {
	kit
	addr    string
	dir     string
	drivers []*fakeDriver
	cmd     *exec.Cmd
	done    chan struct{}
	said    *tail
}

// setup says what a server is given.
type setup struct {
	upses, vars int
	conf        string // more lines of upsd.conf
	pin         bool   // to the first processor
}

// upsName is what the UPSes are called.
func upsName(i int) string { return "ups" + strconv.Itoa(i) }

// startServer starts a server and returns when it serves all its UPSes.
func startServer(k kit, set setup) (*server, error) {
	dir, err := os.MkdirTemp("", "load") // short: a socket's name must fit into 108 bytes
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{kit: k, dir: dir, addr: net.JoinHostPort(loopback, port), said: &tail{}}
	if err := s.configure(set, port); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	if err := s.launch(set.pin); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	if err := s.await(set.upses); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; it said:\n%s", err, s.said), s.stop())
	}
	return s, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// configure writes the files and starts the drivers.
func (s *server) configure(set setup, port string) error {
	var upses strings.Builder
	for i := range set.upses {
		fmt.Fprintf(&upses, "[%s]\n driver = dummy-ups\n port = auto\n", upsName(i))
		d, err := newFakeDriver(filepath.Join(s.dir, "dummy-ups-"+upsName(i)), set.vars)
		if err != nil {
			return err
		}
		s.drivers = append(s.drivers, d)
	}
	files := map[string]string{
		"ups.conf":   upses.String(),
		"upsd.conf":  "LISTEN " + loopback + " " + port + "\n" + set.conf,
		"upsd.users": "[good]\n password = right\n upsmon primary\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// launch starts the process.
func (s *server) launch(pin bool) error {
	args := []string{s.path, "-F"}
	if os.Getuid() == 0 {
		args = append(args, "-u", "root")
	}
	if taskset, err := exec.LookPath("taskset"); err == nil && pin && runtime.NumCPU() > 1 {
		args = append([]string{taskset, "-c", "0"}, args...)
	}
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Env = append(child.Environ(), "NUT_CONFPATH="+s.dir, "NUT_STATEPATH="+s.dir,
		"NUT_ALTPIDPATH="+s.dir, "NUT_PIDPATH="+s.dir, "NUT_QUIET_INIT_SSL=true")
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	if err := child.Start(s.cmd); err != nil {
		return err
	}
	s.done = make(chan struct{})
	go func() {
		s.cmd.Wait()
		close(s.done)
	}()
	return nil
}

// await returns when every UPS has data. Nobody tells when that is, so it asks again and again.
func (s *server) await(upses int) error {
	var last error
	for begin := time.Now(); time.Since(begin) < startLimit; time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.done:
			return errors.New("upsd ended")
		default:
		}
		if last = s.served(upses); last == nil {
			return nil
		}
	}
	return fmt.Errorf("upsd is not ready after %v: %w", startLimit, last)
}

func (s *server) served(upses int) error {
	c, err := s.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(startLimit))
	in := bufio.NewReader(c)
	for i := range upses {
		fmt.Fprintf(c, "GET VAR %s ups.status\n", upsName(i))
		if reply, err := in.ReadString('\n'); err != nil || !strings.Contains(reply, `"OL"`) {
			return fmt.Errorf("%s: %q, %v", upsName(i), reply, err)
		}
	}
	return nil
}

// dial connects to the server, which is on loopback or nowhere.
func (s *server) dial() (net.Conn, error) { return dialLoopback(s.addr) }

// dialLoopback refuses every address of another machine, and of this one as others see it.
func dialLoopback(addr string) (net.Conn, error) { return dialWithin(addr, startLimit) }

func dialWithin(addr string, d time.Duration) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s: want a loopback address", addr)
	}
	return net.DialTimeout("tcp", addr, d)
}

// stop ends the server and removes its folder.
func (s *server) stop() error {
	for _, d := range s.drivers {
		d.close()
	}
	if s.done != nil {
		s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.done:
		case <-time.After(stopLimit):
			s.cmd.Process.Kill()
			<-s.done
		}
	}
	return os.RemoveAll(s.dir)
}

// running reports whether the process is still there.
func (s *server) running() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// memory is the resident set now and the largest since forgetPeak, in bytes.
func (s *server) memory() (now, peak int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		var kB int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kB); err == nil {
			now = kB << 10
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kB); err == nil {
			peak = kB << 10
		}
	}
	return now, peak
}

// forgetPeak makes the peak of memory begin anew.
func (s *server) forgetPeak() {
	os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0)
}

// descriptors is how many the server has open.
func (s *server) descriptors() int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	return len(entries)
}

// cpu is the processor time that the server has spent.
func (s *server) cpu() time.Duration {
	var total time.Duration
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // a thread that ended is counted no more
		if ns, _, ok := strings.Cut(string(text), " "); ok {
			n, _ := strconv.ParseInt(ns, 10, 64)
			total += time.Duration(n)
		}
	}
	return total
}

// tail keeps the end of what a process says.
type tail struct {
	mu   sync.Mutex
	b    []byte
	size int64
}

// keptTail is how much of it is kept.
const keptTail = 16 << 10

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size += int64(len(p))
	t.b = append(t.b, p...)
	if len(t.b) > 2*keptTail {
		t.b = bytes.Clone(t.b[len(t.b)-keptTail:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// written is how many bytes were said.
func (t *tail) written() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.size
}
