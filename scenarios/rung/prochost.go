package rung

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	daemons "github.com/blackstart-ups/blackstart/nut/service"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// A host of the rung of processes: its folder, its ports, and what runs on it.

// procHost is one computer made of processes.
type procHost struct {
	name, dir, addr string
	power           env.Scope // of its init; nil when off
	fifo            *os.File
	console         *os.File          // what its programs print and log
	ports           map[string]string // symbolic name to pty path
}

// makeFolders makes the host's folders, and the FIFO through which it is halted.
func (h *procHost) makeFolders(m *site.Machine) error {
	for _, d := range []string{"etc", "run", "state", "dev", usbFolder} {
		if err := os.MkdirAll(filepath.Join(h.dir, d), 0o755); err != nil {
			return err
		}
	}
	console, err := os.OpenFile(filepath.Join(h.dir, "console"),
		os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	h.console = console
	name := filepath.Join(h.dir, "halt")
	if err := syscall.Mkfifo(name, 0o622); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0) // both ways: it never ends
	if err != nil {
		return err
	}
	h.fifo = f
	go func() {
		buf := make([]byte, 64)
		for {
			if _, err := f.Read(buf); err != nil {
				return
			}
			m.Press("halt")
		}
	}()
	return nil
}

// showConsole passes on what the host's programs print, until the room is closed.
func (p *Proc) showConsole(h *procHost) {
	f, err := os.Open(h.console.Name())
	if err != nil {
		return
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var line string
	for {
		part, err := r.ReadString('\n')
		if line += part; err == nil {
			p.log(p.clock.Now(), h.name, "console", strings.TrimRight(line, "\n"))
			line = ""
			continue
		}
		select {
		case <-p.done:
			return
		case <-time.After(tick):
		}
	}
}

// usbFolder is where a host has its USB devices.
const usbFolder = "dev/usb"

// connect puts a UPS on a pty of a host, or on a socket when it lives on modem lines or on USB.
func (p *Proc) connect(c Cable) error {
	h := p.hosts[c.Host]
	name := filepath.Join(h.dir, "dev", c.Port)
	p.site.Plug(c.UPS, c.Host)
	port := p.site.UPS(c.UPS).Cable
	cable, serial := port.(*serve.Cable)
	if !serial {
		name = filepath.Join(h.dir, usbFolder, c.Port)
	}
	if !serial || cable.Lined() {
		s, err := serve.NewSocket(p.e, port, name)
		if err != nil {
			return err
		}
		p.far = append(p.far, s)
		h.ports[c.Port] = s.Path()
		return nil
	}
	pty, err := serve.NewPty(p.e, cable, name)
	if err != nil {
		return err
	}
	p.far = append(p.far, pty)
	h.ports[c.Port] = name
	return nil
}

// value is what a placeholder stands for on a host of processes.
func (p *Proc) value(h *procHost, name string) (string, bool) {
	switch name {
	case "addr":
		return h.addr, true
	case "halt":
		return "echo halt >" + filepath.Join(h.dir, "halt"), true
	case "state":
		return filepath.Join(h.dir, "state"), true
	}
	if other, ok := cutHost(name); ok {
		if p.hosts[other] == nil {
			return "", false
		}
		addr, err := p.net.way(h.name, other)
		return addr, err == nil
	}
	if port, ok := h.ports[name]; ok {
		return port, true
	}
	return devsock.Prefix + filepath.Join(h.dir, usbFolder), name == usbBus
}

// environ is what a program of the host finds in its environment.
func (p *Proc) environ(h *procHost) []string {
	run := filepath.Join(h.dir, "run")
	return []string{
		"PATH=" + p.bin + ":" + os.Getenv("PATH"),
		"NUT_CONFPATH=" + filepath.Join(h.dir, "etc"),
		"NUT_STATEPATH=" + run, "NUT_PIDPATH=" + run, "NUT_ALTPIDPATH=" + run,
		osenv.HostVar + "=" + h.name,
		osenv.RehearsalVar + "=" + p.clock.String(),
		osenv.EventsVar + "=unixgram:" + p.events(),
		"NUT_DEBUG_SYSLOG=stderr",
		daemons.AccountVar + "=root", // the folders are those of whoever rehearses
	}
}

// emptyRun empties the folder that no boot finds as the last one left it.
func (h *procHost) emptyRun() {
	run := filepath.Join(h.dir, "run")
	os.RemoveAll(run)
	os.MkdirAll(run, 0o755)
}

// awaitEnd waits until killed processes have let go of their sockets and ports, which the next to
// start will want.
func awaitEnd(pids []int) error {
	for end := time.Now().Add(endTime); ; time.Sleep(time.Millisecond) {
		if pids = slices.DeleteFunc(pids, gone); len(pids) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("killed, and there after %v: %v", endTime, pids)
		}
	}
}

// gone reports that a process is no more, or only its number is. As long as one of its threads is
// ending, so are its files.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	i := bytes.LastIndexByte(stat, ')')
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err != nil || i >= 0 && bytes.HasPrefix(stat[i:], []byte(") Z")) && len(threads) <= 1
}

// find returns the processes of a host whose arguments please.
func (p *Proc) find(h *procHost, want func(args []string) bool) []int {
	mark := []byte(osenv.HostVar + "=" + h.name + "\x00")
	ours := []byte(osenv.RehearsalVar + "=" + p.clock.String() + "\x00")
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err != nil || !bytes.Contains(environ, mark) || !bytes.Contains(environ, ours) {
			continue
		}
		cmdline, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		args := strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
		if err == nil && args[0] != "" && want(args) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// killAll ends every process of a host. A process that was forking meanwhile is found in the next
// round.
func (p *Proc) killAll(h *procHost) {
	for range 50 {
		pids := p.find(h, func([]string) bool { return true })
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(time.Millisecond)
	}
}

// consoleHandler sends log lines to the rung's console.
type consoleHandler struct{ line func(string) }

func (h consoleHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (h consoleHandler) Handle(_ context.Context, r slog.Record) error {
	h.line(r.Message)
	return nil
}
func (h consoleHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h consoleHandler) WithGroup(string) slog.Handler      { return h }
