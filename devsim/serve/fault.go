package serve

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// A Fault is something that is wrong with a port. Several may be present at once.
type Fault int

// The faults of a port.
const (
	Silent   Fault = iota // the device neither hears nor speaks
	Mute                  // the device hears and obeys, but its answers are lost
	Garbage               // every byte of an answer is noise
	Noise                 // one bit of each answer is flipped
	Truncate              // answers stop halfway
	Slow                  // every byte takes forty times as long
	Unplug                // the port is gone: open handles are dead for good
	Halt                  // every transfer is refused, until that or the device is reset
	Overflow              // all that comes is longer than was asked for
	Reset                 // the device leaves the bus and is back at once, under another number
	Busy                  // opening fails: another program has the port
	Denied                // opening fails: no permission
	faults                // how many there are
)

var faultNames = [faults]string{"silent", "mute", "garbage", "noise", "truncate", "slow", "unplug",
	"halt", "overflow", "reset", "busy", "eperm"}

// faultHelp says for people what each is.
var faultHelp = [faults]string{
	"the device neither hears nor speaks",
	"it hears and obeys, but its answers are lost",
	"every byte of an answer is noise",
	"one bit of each answer is flipped",
	"answers stop halfway",
	"every byte takes forty times as long",
	"the port is gone until the device is plugged in again",
	"every transfer is refused, until that or the device is reset",
	"all that comes is longer than was asked for",
	"the device leaves the bus and is back at once, under another number",
	"opening fails: another program has the port",
	"opening fails: no permission",
}

// slowness is the factor of Slow: an answer of 47 bytes at 2400 baud then takes 8 s, longer than
// any driver waits.
const slowness = 40

// forever ends a fault that has no end.
const forever = time.Duration(1<<63 - 1)

// String returns the word that scripts and command lines use.
func (f Fault) String() string {
	if f < 0 || f >= faults {
		return fmt.Sprintf("Fault(%d)", int(f))
	}
	return faultNames[f]
}

// ParseFault is the inverse of String; stall, the general word for a device that hangs, is silent.
func ParseFault(s string) (Fault, error) {
	if s == "stall" {
		return Silent, nil
	}
	for i, name := range faultNames {
		if name == s {
			return Fault(i), nil
		}
	}
	return 0, fmt.Errorf("fault %q: want one of %s", s, strings.Join(faultNames[:], ", "))
}

// FaultNames returns the names of all faults.
func FaultNames() []string { return append([]string(nil), faultNames[:]...) }

// usbOnly reports whether only a USB device can have the fault.
func (f Fault) usbOnly() bool { return f >= Halt }

// harm is what is wrong with a wire.
type harm struct {
	mu    sync.Mutex // guards what follows; never held while a device is called
	until [faults]time.Duration
	rng   *rand.Rand
}

func newHarm(seed uint64) *harm { return &harm{rng: rand.New(rand.NewPCG(seed, 0))} }

// far is the device's end of a serial port: the face, behind what is wrong with the wire.
type far struct {
	*harm
	face Face
}

func newFar(f Face, seed uint64) *far { return &far{newHarm(seed), f} }

// set makes f present for d from now, or until cleared when d is 0.
func (r *harm) set(now time.Duration, f Fault, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until[f] = forever
	if d > 0 && now < forever-d {
		r.until[f] = now + d
	}
}

func (r *harm) clear(f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until[f] = 0
}

// has reports whether f is present, and until when.
func (r *harm) has(now time.Duration, f Fault) (until time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.until[f], now < r.until[f]
}

func (r *harm) present(now time.Duration) []string {
	names := []string{}
	for f := range faults {
		if _, ok := r.has(now, f); ok {
			names = append(names, f.String())
		}
	}
	return names
}

// receive hands bytes to the face and returns what comes back over the wire.
func (r *far) receive(now time.Duration, p []byte, badSpeed bool) []byte {
	if _, ok := r.has(now, Silent); ok {
		return nil
	}
	if badSpeed {
		return r.noise(p)
	}
	return r.spoil(now, r.face.Receive(now, p))
}

// spoil does to an answer what the present faults do.
func (r *harm) spoil(now time.Duration, b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if _, ok := r.has(now, Silent); ok {
		return nil
	}
	if _, ok := r.has(now, Mute); ok {
		return nil
	}
	if _, ok := r.has(now, Garbage); ok {
		b = r.noise(b)
	}
	if _, ok := r.has(now, Noise); ok {
		b = r.flip(b)
	}
	if _, ok := r.has(now, Truncate); ok {
		b = b[:len(b)/2]
	}
	return b
}

// noise returns as many random bytes as b has.
func (r *harm) noise(b []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := make([]byte, len(b))
	for i := range n {
		n[i] = byte(r.rng.Uint32())
	}
	return n
}

// flip returns b with one bit changed.
func (r *harm) flip(b []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := append([]byte(nil), b...)
	n[r.rng.IntN(len(n))] ^= 1 << r.rng.IntN(8)
	return n
}
