package serial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// rehearsalVar is the environment variable that says that this process takes part in a rehearsal;
// osenv reads its value, here it is enough that it is set.
const rehearsalVar = "BLACKSTART_REHEARSAL"

// Ports are the serial ports of this machine. Names are device files.
type Ports struct{}

// Serial implements transport.Ports. What it returns implements transport.Lines when the port has
// modem lines.
func (Ports) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	file, err := Allowed(e, name)
	if err != nil {
		return nil, err
	}
	mode, err := translateMode(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	own, err := lock(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, explain(translate(err), e, file))
	}
	lib, err := serial.Open(file, mode)
	if err != nil {
		unix.Close(own)
		return nil, fmt.Errorf("%s: %w", name, translate(err))
	}
	p := &port{name: name, lib: lib, own: own}
	if _, err := lib.GetModemStatusBits(); err != nil {
		return p, nil // a pseudo-terminal
	}
	if err := hangUp(own, !m.KeepLines); err != nil {
		p.Close()
		return nil, fmt.Errorf("%s: %w", name, translate(err))
	}
	return &linedPort{p}, nil
}

// explain adds to an error what would help: whose right is missing, or the name that a socket has.
func explain(err error, e env.Env, file string) error {
	if fi, odd := os.Stat(file); odd == nil && fi.Mode().Type() == fs.ModeSocket {
		return fmt.Errorf("%w: it is a socket; that of an emulated device is the port devsim:%s",
			err, file)
	}
	account := e.Host().Account()
	if !errors.Is(err, transport.ErrPermission) || account == "" {
		return err
	}
	return fmt.Errorf("%w: %s may not read and write %s; want that account in the group of the "+
		"file, or another account (user = in ups.conf, or -u)", err, account, file)
}

// pty is what names of pseudo-terminals look like once links are resolved.
var pty = regexp.MustCompile(`^/dev/pts/[0-9]+$`)

// Allowed reports whether this process may open the port, and the device file that name leads to.
// In a rehearsal only pseudo-terminals may be opened.
func Allowed(e env.Env, name string) (file string, err error) {
	file, err = filepath.EvalSymlinks(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, translate(err))
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if e.Host().Getenv(rehearsalVar) != "" && !pty.MatchString(file) {
		return "", fmt.Errorf("%s: %w: %s is set, and in a rehearsal only pseudo-terminals "+
			"(/dev/pts/*) are opened, never a real device: this is %s",
			name, transport.ErrPermission, rehearsalVar, file)
	}
	return file, nil
}

// lock takes the port for this process. Closing what it returns gives it back.
func lock(file string) (fd int, err error) {
	fd, err = unix.Open(file, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

var parities = map[byte]serial.Parity{
	0: serial.NoParity, 'N': serial.NoParity, 'E': serial.EvenParity, 'O': serial.OddParity,
}

var stopBits = map[int]serial.StopBits{
	0: serial.OneStopBit, 1: serial.OneStopBit, 2: serial.TwoStopBits,
}

// translateMode checks a Mode, and fills in 2400 8N1.
func translateMode(m transport.Mode) (*serial.Mode, error) {
	s := &serial.Mode{BaudRate: 2400, DataBits: 8}
	if m.Baud != 0 {
		s.BaudRate = m.Baud
	}
	if m.DataBits != 0 {
		s.DataBits = m.DataBits
	}
	var ok bool
	if s.Parity, ok = parities[m.Parity]; !ok {
		return nil, fmt.Errorf("parity %q: want N, E or O", m.Parity)
	}
	if s.StopBits, ok = stopBits[m.StopBits]; !ok {
		return nil, fmt.Errorf("%d stop bits: want 1 or 2", m.StopBits)
	}
	return s, nil
}

// causes maps the system's errors to the ones that drivers decide by.
var causes = []struct {
	errno unix.Errno
	err   error
}{
	{unix.ENOENT, transport.ErrNoPort},
	{unix.ENODEV, transport.ErrNoPort}, // at open; later it means ErrGone, see gone
	{unix.ENXIO, transport.ErrNoPort},
	{unix.ENOTDIR, transport.ErrNoPort},
	{unix.ENOTTY, transport.ErrNoPort},
	{unix.EISDIR, transport.ErrNoPort},
	{unix.EIO, transport.ErrGone},
	{unix.EBUSY, transport.ErrBusy},
	{unix.EWOULDBLOCK, transport.ErrBusy},
	{unix.EACCES, transport.ErrPermission},
	{unix.EPERM, transport.ErrPermission},
}

// codes does the same for the library's own errors.
var codes = []struct {
	code serial.PortErrorCode
	err  error
}{
	{serial.PortBusy, transport.ErrBusy},
	{serial.PortNotFound, transport.ErrNoPort},
	{serial.InvalidSerialPort, transport.ErrNoPort},
	{serial.PermissionDenied, transport.ErrPermission},
	{serial.PortClosed, transport.ErrGone}, // how a hangup shows
}

// translate renames an error of the library or the system, keeping its words.
func translate(err error) error {
	var lib *serial.PortError
	if errors.As(err, &lib) {
		for _, c := range codes {
			if lib.Code() == c.code {
				return fmt.Errorf("%w (%v)", c.err, err)
			}
		}
		return err
	}
	for _, c := range causes {
		if errors.Is(err, c.errno) {
			return fmt.Errorf("%w (%v)", c.err, c.errno)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%v)", transport.ErrNoPort, err)
	}
	return err
}
