package bridge

import "time"

// A packing is how a bridge hands out the bytes of an answer.
type packing struct {
	data int // bytes of the answer in a packet
	pad  int // each packet is filled with zeros to this size; 0: not at all
	keep int // packets that wait; what comes then is lost
	// single: there is room for one answer; a new command drops what waits.
	single bool
	head   func(n int) byte // the byte before n bytes of the answer; nil: none
	// closed: an answer that ends with a full packet is followed by an empty one, for the host
	// to see its end.
	closed bool
}

// A packet can be fetched from an instant on.
type packet struct {
	at time.Duration
	p  []byte
}

// A pipe holds the packets of an interrupt endpoint.
type pipe struct {
	packing
	part  []byte // of a packet that is not full
	last  []byte // the packet that was made last
	queue []packet
}

// maxPackets is how many a pipe holds, with those that are still on their way.
const maxPackets = 1024

// put adds an answer. A packet is complete when it is full, or with the CR.
func (q *pipe) put(a answer) {
	for i, c := range a.bytes {
		q.part = append(q.part, c)
		if c == '\r' || len(q.part) == q.data {
			q.flush(a.at(i))
		}
		if c == '\r' && q.closed && len(q.last) == q.data {
			q.push(a.at(i), []byte{})
		}
	}
}

// flush makes a packet of what there is.
func (q *pipe) flush(at time.Duration) {
	var p []byte
	if q.head != nil {
		p = append(p, q.head(len(q.part)))
	}
	p = append(p, q.part...)
	for len(p) < q.pad {
		p = append(p, 0)
	}
	q.part = nil
	q.push(at, p)
}

func (q *pipe) push(at time.Duration, p []byte) {
	q.last = p
	if len(q.queue) < maxPackets {
		q.queue = append(q.queue, packet{at, p})
	}
}

// take returns the next packet that has arrived, or when to ask again.
func (q *pipe) take(now time.Duration) (p []byte, again time.Duration) {
	q.settle(now)
	switch {
	case len(q.queue) == 0:
		return nil, 0
	case q.queue[0].at > now:
		return nil, q.queue[0].at
	}
	p, q.queue = q.queue[0].p, q.queue[1:]
	return p, 0
}

// settle loses what has arrived and had no room.
func (q *pipe) settle(now time.Duration) {
	n := 0
	for n < len(q.queue) && q.queue[n].at <= now {
		n++
	}
	if n > q.keep {
		q.queue = append(q.queue[:q.keep], q.queue[n:]...)
	}
}
