package osenv

import (
	"io"
	"net"
	"syscall"
	"unsafe"
)

// A stream is one direction of a connection, read or written by one task at a time. Sockets of this
// process never block in the kernel, so that the scheduler need not be told of the call: that is a
// good part of what a short request costs.
type stream struct {
	raw  syscall.RawConn // nil: not a socket
	call uintptr         // SYS_READ or SYS_WRITE
	step func(fd uintptr) bool

	p      []byte // what is left to do
	n      int    // done
	err    error
	waited bool // the last call could not be made at once
}

func newStream(c net.Conn, call uintptr) *stream {
	s := &stream{call: call}
	if sc, ok := c.(syscall.Conn); ok {
		s.raw, _ = sc.SyscallConn()
	}
	s.step = s.try
	return s
}

// try makes the call once; false when it has to be made again after a wait.
func (s *stream) try(fd uintptr) (done bool) {
	for {
		n, _, errno := syscall.RawSyscall(s.call, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(s.p))), uintptr(len(s.p)))
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			s.waited = true
			return false
		case errno != 0:
			s.err = errno
			return true
		}
		s.p, s.n = s.p[n:], s.n+int(n)
		if s.call == syscall.SYS_READ || len(s.p) == 0 {
			return true
		}
	}
}

// do reads into p, or writes all of it. An error of the wait, such as a deadline, comes as package
// net has it.
func (s *stream) do(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.p, s.n, s.err, s.waited = p, 0, nil, false
	var err error
	if s.call == syscall.SYS_READ {
		err = s.raw.Read(s.step)
	} else {
		err = s.raw.Write(s.step)
	}
	s.p = nil
	if err == nil {
		err = s.err
	}
	if err == nil && s.n == 0 {
		err = io.EOF
	}
	return s.n, err
}
