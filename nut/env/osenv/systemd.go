package osenv

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// notifySystemd tells a service manager that follows the sd_notify protocol what state we are in.
func notifySystemd(state string) {
	addr := os.Getenv("NOTIFY_SOCKET")
	if addr == "" {
		return
	}
	c, err := net.Dial("unixgram", addr)
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(state))
}

func (h *host) Tell(p env.Phase, state string) {
	text := map[env.Phase]string{env.Serving: "READY=1", env.Stopping: "STOPPING=1",
		env.Turning: "WATCHDOG=1",
		env.Reloading: fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d",
			clock(unix.CLOCK_MONOTONIC).Microseconds())}[p]
	if state != "" {
		text += "\nSTATUS=" + state
	}
	notifySystemd(text)
}

// Watchdog is half of what the service manager allows, in program time. One that looks at another
// process does not wait for us.
func (h *host) Watchdog() time.Duration {
	n, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	if err != nil || n <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(n) * time.Microsecond / 2 * time.Duration(h.clock.Scale)
}

// Slept compares the clock that goes on while the machine is suspended with the one that does not.
func (h *host) Slept() time.Duration {
	return clock(unix.CLOCK_BOOTTIME) - clock(unix.CLOCK_MONOTONIC)
}

func clock(id int32) time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(id, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
