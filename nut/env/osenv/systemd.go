package osenv

import (
	"net"
	"os"
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
