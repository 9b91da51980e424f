package serve

import (
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A Face is a device as seen through its port. Time is the time since the start of the world.
type Face interface {
	// Receive takes the bytes that have arrived and returns what the device sends. It keeps
	// neither slice.
	Receive(now time.Duration, p []byte) []byte
}

// A Talker is a Face that also speaks unasked.
type Talker interface {
	Face
	// NextTalk is the instant at which the device speaks next, if it is known.
	NextTalk() (time.Duration, bool)
	// Talk returns what the device says by now.
	Talk(now time.Duration) []byte
}

// A Crier is a Talker that may speak at an instant that NextTalk could not tell. It calls f when
// that has come.
type Crier interface {
	Talker
	OnTalk(f func())
}

// Options say how a port behaves. The zero value is a line of 2400 baud, 8N1.
type Options struct {
	Baud    int           // the device's speed; 0 means 2400
	Latency time.Duration // between the end of a command and the start of the answer
	Seed    uint64        // of the noise that some faults make
	Bus     int           // where a USB device is plugged in; 0 means 1
	// Now is the time of the world; nil means the clock of whoever uses the port.
	Now func() time.Duration
}

// bitsPerByte on the wire: start, eight data bits, stop.
const bitsPerByte = 10

func (o Options) baud() int {
	if o.Baud > 0 {
		return o.Baud
	}
	return 2400
}

// wire is how long n bytes take.
func (o Options) wire(n int) time.Duration {
	return time.Duration(n) * bitsPerByte * time.Second / time.Duration(o.baud())
}

// now is the time of the world.
func (o Options) now(e env.Env) time.Duration {
	if o.Now != nil {
		return o.Now()
	}
	return time.Duration(e.Now())
}
