package serial

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// ByID is the folder in which Linux names USB serial ports after what is plugged in there: maker,
// model and serial number of the adapter.
const ByID = "/dev/serial/by-id"

// A Follower opens the serial ports of this machine, and knows them again. An adapter that is
// unplugged and plugged in may be ttyUSB1 where it was ttyUSB0, and ttyUSB0 may by then be
// another one, with another UPS: the one that was opened first is the one that is opened again.
// Ports without a name in Folder have only their name.
type Follower struct {
	Ports
	Folder string // ByID

	mu  sync.Mutex        // guards ids
	ids map[string]string // by the name that was asked for: its link in Folder
}

// Serial implements transport.Ports.
func (f *Follower) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	f.mu.Lock()
	id := f.ids[name]
	f.mu.Unlock()
	where := name
	if id != "" {
		where = id
		if _, err := os.Lstat(id); err != nil {
			return nil, fmt.Errorf("%s: %w: %s is not plugged in", name, transport.ErrNoPort,
				filepath.Base(id))
		}
		if file, _ := filepath.EvalSymlinks(id); file != target(name) {
			e.Log().Warn(fmt.Sprintf("%s: %s is %s now", name, filepath.Base(id), file))
		}
	}
	s, err := f.Ports.Serial(e, where, m)
	if err == nil && id == "" {
		f.remember(name)
	}
	return s, err
}

// USB implements transport.Ports: there is none among serial ports.
func (f *Follower) USB(_ env.Env, name string, _ transport.USBWant) (transport.USB, error) {
	return nil, fmt.Errorf("%s: %w", name, transport.ErrNoUSB)
}

// remember finds out what is plugged in at a port.
func (f *Follower) remember(name string) {
	file := target(name)
	links, _ := filepath.Glob(filepath.Join(f.Folder, "*")) // none: no USB, or not Linux
	for _, l := range links {
		if target(l) == file {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.ids == nil {
				f.ids = map[string]string{}
			}
			f.ids[name] = l
			return
		}
	}
}

// target is the device file that a name leads to, "" for none.
func target(name string) string {
	file, err := filepath.EvalSymlinks(name)
	if err != nil {
		return ""
	}
	return file
}
