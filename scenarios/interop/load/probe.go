package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// probeVar makes a process that is started with it the good client: address and time.
const probeVar = "BLACKSTART_LOAD_PROBE"

// A probed is what the good client saw.
type probed struct {
	Answers       int
	P50, P99, Max time.Duration
	Lost          bool // the connection ended, or an answer took longer than probeLimit
}

const (
	probePause = 2 * time.Millisecond
	probeLimit = 10 * time.Second
)

// probe polls as a monitor does, from a process of its own, so that what this one is busy with does
// not count.
func probe(s *server, d time.Duration) (probed, error) {
	exe, err := os.Executable()
	if err != nil {
		return probed{}, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s", probeVar, s.addr, d))
	out, err := cmd.Output()
	if err != nil {
		return probed{}, fmt.Errorf("probe: %w", err)
	}
	var p probed
	return p, json.Unmarshal(out, &p)
}

// probeMain is the process of the good client. It has no other task, and goes before others where
// that is permitted.
func probeMain(task string) error {
	var addr, text string
	if _, err := fmt.Sscan(task, &addr, &text); err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	syscall.Setpriority(syscall.PRIO_PROCESS, 0, -15)
	fd, err := dialFD(addr)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	syscall.SetNonblock(fd, false)
	limit := syscall.NsecToTimeval(int64(probeLimit))
	syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit)
	return json.NewEncoder(os.Stdout).Encode(poll(fd, d))
}

// poll asks and measures until the time is over or an answer is missing.
func poll(fd int, d time.Duration) probed {
	var p probed
	var delays []time.Duration
	buf := make([]byte, 512)
	for begin := time.Now(); time.Since(begin) < d && !p.Lost; time.Sleep(probePause) {
		sent := time.Now()
		_, err := syscall.Write(fd, []byte(getVar))
		if err == nil {
			var n int
			n, err = syscall.Read(fd, buf)
			p.Lost = n == 0
		}
		p.Lost = p.Lost || err != nil
		delays = append(delays, time.Since(sent))
	}
	p.Answers = len(delays)
	p.P50, p.P99, p.Max = quantile(delays, .5), quantile(delays, .99), quantile(delays, 1)
	return p
}
