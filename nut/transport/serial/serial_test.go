package serial_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
	"github.com/blackstart-ups/blackstart/nut/transport/serial"
)

// machine is this machine with a clock that runs scale times faster and the given variables.
func machine(t *testing.T, scale int64, vars ...string) env.Env {
	t.Helper()
	e, err := osenv.New(osenv.Options{
		Prog:  t.Name(),
		Clock: &osenv.Clock{Scale: scale, Epoch: time.Now()},
		Log:   slog.DiscardHandler,
		Extra: vars,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// terminal is a pseudo-terminal with an echoing device at its far end.
func terminal(t *testing.T) (name string, unplug func()) {
	t.Helper()
	fd, name := pseudoTerminal(t)
	far := os.NewFile(uintptr(fd), "/dev/ptmx") // not blocking, so that Close wakes Read
	done := make(chan struct{})
	go func() {
		defer close(done)
		echo(far)
	}()
	t.Cleanup(func() {
		far.Close()
		<-done
	})
	return name, func() { far.Close() }
}

// pseudoTerminal returns the far end of a new one and the name of the near end.
func pseudoTerminal(t *testing.T) (fd int, name string) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	return fd, fmt.Sprintf("/dev/pts/%d", n)
}

func echo(far *os.File) {
	dev := new(porttest.Device)
	p := make([]byte, 256)
	for {
		n, err := far.Read(p)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil { // nobody has it open
			time.Sleep(time.Millisecond)
			continue
		}
		far.Write(dev.Receive(0, p[:n]))
	}
}

func TestPseudoTerminalIsASerialPort(t *testing.T) {
	for _, scale := range []int64{1, 20} {
		e := machine(t, scale)
		t.Run(fmt.Sprintf("scale %d", scale), func(t *testing.T) {
			porttest.Run(t, e, func(t *testing.T) porttest.Line {
				name, unplug := terminal(t)
				again := func() (transport.Serial, error) {
					return serial.Ports{}.Serial(e, name, transport.Mode{})
				}
				s, err := again()
				if err != nil {
					t.Fatal(err)
				}
				return porttest.Line{Serial: s, Unplug: unplug, Again: again}
			})
		})
	}
}

func TestPseudoTerminalHasNoModemLines(t *testing.T) {
	name, _ := terminal(t)
	s, err := serial.Ports{}.Serial(machine(t, 1), name, transport.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := porttest.NoLines(s); err != nil {
		t.Error(err)
	}
}

func TestWriteToADeafPortEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the limit in real time")
	}
	t.Parallel()
	fd, name := pseudoTerminal(t)
	defer unix.Close(fd)
	e := machine(t, 1)
	s, err := serial.Ports{}.Serial(e, name, transport.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(e, make([]byte, 1<<20)); !errors.Is(err, transport.ErrTimeout) {
		t.Errorf("a write that nobody takes: %v; want ErrTimeout", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	name, _ := terminal(t)
	tests := []struct {
		name string
		file string
		mode transport.Mode
		want error
	}{
		{"a missing device", filepath.Join(folder, "ttyS9"), transport.Mode{}, transport.ErrNoPort},
		{"a name below a file", filepath.Join(file, "ttyS9"), transport.Mode{}, transport.ErrNoPort},
		{"a folder", folder, transport.Mode{}, transport.ErrNoPort},
		{"an ordinary file", file, transport.Mode{}, transport.ErrNoPort},
		{"a device that is no terminal", "/dev/null", transport.Mode{}, transport.ErrNoPort},
		{"an unknown parity", name, transport.Mode{Parity: 'X'}, nil},
		{"three stop bits", name, transport.Mode{StopBits: 3}, nil},
		{"nine data bits", name, transport.Mode{DataBits: 9}, nil},
	}
	e := machine(t, 1)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := serial.Ports{}.Serial(e, tt.file, tt.mode)
			if err == nil {
				s.Close()
			}
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("Serial(%q, %+v) = %v; want %v", tt.file, tt.mode, err, tt.want)
			}
			if !strings.HasPrefix(err.Error(), tt.file+": ") {
				t.Errorf("error %q does not begin with the port's name", err)
			}
		})
	}
}

// Whoever forgets the prefix of an emulated device's socket is told.
func TestASocketIsNoSerialPort(t *testing.T) {
	e := machine(t, 1)
	file := filepath.Join(t.TempDir(), "ups")
	l, err := e.Net().Listen(e, "unix", file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = serial.Ports{}.Serial(e, file, transport.Mode{})
	if !errors.Is(err, transport.ErrNoPort) || !strings.Contains(err.Error(), "devsim:"+file) {
		t.Errorf("Serial(%q) = %v; want ErrNoPort that names devsim:%s", file, err, file)
	}
}

func TestRehearsalOpensPseudoTerminalsOnly(t *testing.T) {
	name, _ := terminal(t)
	folder := t.TempDir()
	link := func(target, as string) string {
		as = filepath.Join(folder, as)
		if err := os.Symlink(target, as); err != nil {
			t.Fatal(err)
		}
		return as
	}
	rehearsal := machine(t, 20, "BLACKSTART_REHEARSAL=scale=20")
	tests := []struct {
		name string
		e    env.Env
		file string
		ok   bool
	}{
		{"a pseudo-terminal", rehearsal, name, true},
		{"a link to one", rehearsal, link(name, "pty"), true},
		{"a device", rehearsal, "/dev/null", false},
		{"a link to a device", rehearsal, link("/dev/null", "dev"), false},
		{"a device with a misleading path", rehearsal, "/dev/pts/../null", false},
		{"a device outside rehearsals", machine(t, 1), "/dev/null", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file, err := serial.Allowed(tt.e, tt.file)
			if ok := err == nil; ok != tt.ok {
				t.Fatalf("Allowed(%q) = %q, %v; want ok %v", tt.file, file, err, tt.ok)
			}
			if tt.ok {
				return
			}
			if _, err := (serial.Ports{}).Serial(tt.e, tt.file, transport.Mode{}); !errors.Is(
				err, transport.ErrPermission) || !strings.Contains(err.Error(), "rehearsal") {
				t.Errorf("Serial(%q) = %v; want ErrPermission that names the rehearsal", tt.file, err)
			}
		})
	}
}
