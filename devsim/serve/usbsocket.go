package serve

import (
	"errors"
	"fmt"
	"sync"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
)

// usb serves a USB device.
func (s *Socket) usb(u *use, p *Plug, f devsock.Frame) error {
	if f.Kind == devsock.Open {
		return fmt.Errorf("%w: this is a USB device", transport.ErrNoPort)
	}
	if err := devsock.ParseOpenUSB(f); err != nil {
		return err
	}
	unseen := func(*handle) error { return nil } // the program at the other end looks at it
	h, err := patient(u.e, func() (*handle, error) { return p.openIf(u.e, unseen) })
	if err != nil {
		return err
	}
	hello := devsock.Frame{Kind: devsock.OpenUSB, Body: devsock.PlaceBody(h.id)}
	return s.run(u, hello, h.Close,
		func(e env.Env) error {
			err := h.lost(e)
			u.conn.Close() // that is how the program hears of it
			return err
		},
		func(tasks env.Env) error { return u.requests(tasks, h) })
}

// requests obeys the program until it hangs up.
func (u *use) requests(tasks env.Env, h *handle) error {
	var mu sync.Mutex
	under := map[byte]bool{} // way, by their number
	for {
		f, err := u.in.Next(u.e, env.Never)
		if err != nil {
			if errors.Is(err, env.ErrStopped) {
				return err
			}
			return nil // it hung up, or the device was unplugged
		}
		r, err := devsock.ParseRequest(f)
		if err != nil {
			return nil
		}
		r.Data = append([]byte(nil), r.Data...)
		mu.Lock()
		bad := under[r.Seq] || len(under) >= pending
		under[r.Seq] = true
		mu.Unlock()
		if bad {
			return nil
		}
		until := r.Until(u.e.Now())
		tasks.Go("transfer", func(e env.Env) error {
			a := h.request(e, r, until)
			mu.Lock()
			delete(under, r.Seq)
			mu.Unlock()
			if !errors.Is(a.Err, env.ErrStopped) && !u.out.Put(a.Frame()) {
				u.conn.Close() // it reads no answers
			}
			return nil
		})
	}
}

// request makes one transfer.
func (h *handle) request(e env.Env, r devsock.Request, until env.Instant) devsock.Answer {
	a := devsock.Answer{Seq: r.Seq}
	data := r.Data
	if r.In() {
		data = make([]byte, r.Len)
	}
	n := 0
	switch r.Kind {
	case devsock.Control:
		n, a.Err = h.Control(e, r.Setup, data, until)
	case devsock.Interrupt:
		n, a.Err = h.Interrupt(e, r.Endpoint, data, until)
	case devsock.ClearHalt:
		a.Err = h.ClearHalt(e, r.Endpoint)
	case devsock.Reset:
		a.Err = h.Reset(e)
	}
	if r.In() {
		a.Data = data[:n]
	}
	return a
}

// lost waits until the handle cannot be used any more.
func (h *handle) lost(e env.Env) error {
	t := h.begin(e, env.Never)
	defer t.end()
	for h.state() == nil {
		if err := t.pause(forever); err != nil {
			return err
		}
	}
	return nil
}
