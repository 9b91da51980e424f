package main

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// A poller asks the same request on many connections, each again as soon as its reply has come.
type poller struct {
	epoll   int
	fds     []int
	request []byte
	end     []byte         // of a reply
	tails   map[int][]byte // the end of what was read of replies that come in pieces
}

// newPoller connects n times.
func newPoller(s *server, n int, request, end string) (*poller, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	p := &poller{epoll: epoll, request: []byte(request), end: []byte(end), tails: map[int][]byte{}}
	for range n {
		fd, err := dialFD(s.addr)
		if err != nil {
			p.close()
			return nil, fmt.Errorf("connection %d: %w", len(p.fds)+1, err)
		}
		p.fds = append(p.fds, fd)
		ev := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
		if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &ev); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

// dialFD connects and gives the descriptor out of Go's hands.
func dialFD(addr string) (int, error) {
	c, err := dialLoopback(addr)
	if err != nil {
		return -1, err
	}
	defer c.Close()
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		return -1, err
	}
	defer f.Close()
	return syscall.Dup(int(f.Fd()))
}

func (p *poller) close() {
	for _, fd := range p.fds {
		syscall.Close(fd)
	}
	syscall.Close(p.epoll)
}

// run asks for a time and returns how many replies came.
func (p *poller) run(d time.Duration) (replies int, took time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	release := pinThread()
	defer release()
	for _, fd := range p.fds {
		if _, err := syscall.Write(fd, p.request); err != nil {
			return 0, 0, err
		}
	}
	begin, waiting := time.Now(), len(p.fds)
	events, buf := make([]syscall.EpollEvent, 256), make([]byte, 64<<10)
	for waiting > 0 {
		more := time.Since(begin) < d
		n, err := syscall.EpollWait(p.epoll, events, int(startLimit/time.Millisecond))
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return 0, 0, fmt.Errorf("%d replies are missing: %v", waiting, err)
		}
		for _, ev := range events[:n] {
			whole, err := p.read(int(ev.Fd), buf)
			if err != nil {
				return 0, 0, err
			}
			if !whole {
				continue
			}
			replies++
			if !more {
				waiting--
			} else if _, err := syscall.Write(int(ev.Fd), p.request); err != nil {
				return 0, 0, err
			}
		}
	}
	return replies, time.Since(begin), nil
}

// read takes what has come on a connection; whole when that ends a reply.
func (p *poller) read(fd int, buf []byte) (whole bool, err error) {
	n, err := syscall.Read(fd, buf)
	if err != nil || n == 0 {
		return false, fmt.Errorf("connection closed: %v", err)
	}
	got := buf[:n]
	if n < len(p.end) {
		got = append(p.tails[fd], got...)
	}
	if bytes.HasSuffix(got, p.end) {
		if len(p.tails) > 0 {
			delete(p.tails, fd)
		}
		return true, nil
	}
	p.tails[fd] = bytes.Clone(got[max(0, len(got)-len(p.end)):])
	return false, nil
}

// pinThread puts the calling thread on the second processor, if there is one; the server has the
// first.
func pinThread() (release func()) {
	if runtime.NumCPU() < 2 {
		return func() {}
	}
	var all, second [16]uint64
	const size = unsafe.Sizeof(all)
	syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, size, uintptr(unsafe.Pointer(&all)))
	second[0] = 1 << 1
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size, uintptr(unsafe.Pointer(&second)))
	return func() {
		syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size, uintptr(unsafe.Pointer(&all)))
	}
}
