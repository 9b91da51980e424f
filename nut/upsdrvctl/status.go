package upsdrvctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// A look is what can be seen of one driver from outside. The fields are those of --json.
type look struct {
	UPS    string `json:"ups"`
	Driver string `json:"driver"`
	// Running is what the PID file says: RUNNING, STOPPED when its process is gone, N/A when there
	// is no number in it.
	Running string `json:"running"`
	PID     int    `json:"pid_file"` // or a negative number: see remote.Code
	// Responsive and what follows is what the driver says through its socket.
	Responsive bool   `json:"responsive"`
	SocketPID  int    `json:"pid,omitempty"`
	Status     string `json:"status"`
	Fresh      bool   `json:"fresh"`
	// Since and Why tell of a device that is lost, Cause why there is no answer.
	Since string `json:"stale_since,omitempty"`
	Why   string `json:"stale_reason,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// row is a line of the table.
const row = "%-20s\t%11s\t%s\t%s\t%s\t%s\t%s\n"

// lookTime is how long a driver may take to say how it is.
const lookTime = 3 * time.Second

// status prints a table, and what is wrong with drivers and devices below it, to standard error.
func (c *controller) status(units []unit, _ bool) error {
	looks := make([]look, len(units))
	c.each(c.e, units, func(e env.Env, u unit) error { // looks fail into the table
		for i := range units {
			if units[i].name == u.name {
				looks[i] = c.look(e, u)
			}
		}
		return nil
	})
	var errs []error
	for _, l := range looks {
		if !l.Responsive {
			errs = append(errs, fmt.Errorf("UPS %s: %s", l.UPS, l.Cause))
		}
	}
	if c.json {
		return errors.Join(append(errs, c.printJSON(looks))...)
	}
	fmt.Fprintf(c.out, row,
		"UPSNAME", "UPSDRV", "RUNNING", "PF_PID", "S_RESPONSIVE", "S_PID", "S_STATUS")
	for _, l := range looks {
		alive, pid, status := "NOT_RESPONSIVE", "N/A", ""
		if l.Responsive {
			alive, status = "RESPONSIVE", `"`+l.Status+`"`
		}
		if l.SocketPID > 0 {
			pid = fmt.Sprint(l.SocketPID)
		}
		fmt.Fprintf(c.out, row, l.UPS, l.Driver, l.Running, fmt.Sprint(l.PID), alive, pid, status)
	}
	for _, l := range looks {
		if text := l.staleness(); text != "" {
			fmt.Fprintf(c.e.Host().Stderr(), "UPS %s: %s\n", l.UPS, text)
		}
	}
	return errors.Join(errs...)
}

// staleness says since when a device is unknown, "" when it is not.
func (l look) staleness() string {
	switch {
	case !l.Responsive || l.Fresh:
		return ""
	case l.Since == "":
		return "the data is stale"
	}
	return fmt.Sprintf("the device is lost since %s: %s", l.Since, l.Why)
}

func (c *controller) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		_, err = c.out.Write(append(b, '\n'))
	}
	return err
}

// look asks a driver how it is.
func (c *controller) look(e env.Env, u unit) look {
	l := look{UPS: u.name, Driver: u.driver, Running: "RUNNING"}
	var fileErr error
	l.PID, fileErr = remote.ReadPID(e, c.pidFile(u), u.driver, u.name)
	filePID := l.PID
	if fileErr != nil {
		l.Running, l.PID = "N/A", remote.Code(fileErr)
		if filePID > 0 {
			l.Running = "STOPPED"
		}
	}
	conn, err := remote.Dial(e, c.socket(u))
	if err == nil {
		defer conn.Close(e)
		err = conn.Ping(e, e.Now().Add(lookTime))
	}
	if err != nil {
		l.Cause = c.cause(u, filePID, fileErr, err)
		return l
	}
	l.Responsive = true
	l.SocketPID, _ = conn.PID(e, e.Now().Add(lookTime)) // older drivers do not say
	if dev, fresh, err := conn.Dump(e, e.Now().Add(lookTime)); err == nil {
		l.Status, l.Fresh = dev.Value("ups.status"), fresh
		l.Since, l.Why = dev.Value("driver.reconnect.since"), dev.Value("driver.reconnect.reason")
	}
	return l
}

// cause says why a driver does not answer, as far as it can be seen from outside.
func (c *controller) cause(u unit, pid int, fileErr, dialErr error) string {
	prog := c.program(u.driver)
	if _, err := c.e.Host().Stat(prog); strings.Contains(prog, "/") && errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("the driver is missing: there is no %s", prog)
	}
	switch {
	case fileErr == nil:
		return fmt.Sprintf("the driver runs as process %d and does not answer at %s: %v",
			pid, c.socket(u), dialErr)
	case pid > 0:
		return fmt.Sprintf("the driver is dead: process %d of %s is gone, it crashed or was killed",
			pid, c.pidFile(u))
	case errors.Is(dialErr, fs.ErrNotExist):
		return "the driver does not run: it was not started, or it has ended"
	case errors.Is(dialErr, env.ErrRefused):
		return fmt.Sprintf("the driver is dead: it left %s behind, it crashed or was killed",
			c.socket(u))
	}
	return fmt.Sprintf("%s: %v", c.socket(u), dialErr)
}
