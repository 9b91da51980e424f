package upsmon

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// file is where the configuration is.
func (o *options) confFile(e env.Env) string {
	if o.file != "" {
		return o.file
	}
	return nut.ConfPath(e) + "/upsmon.conf"
}

// read reads the configuration and judges it. The error is a reason not to use it; problems are
// entries that were left out.
func (o *options) read(e env.Env) (*config.Upsmon, []config.Problem, error) {
	c, problems, _, err := o.readAll(e)
	return c, problems, err
}

// readAll is read, with the text of the file.
func (o *options) readAll(e env.Env) (*config.Upsmon, []config.Problem, []byte, error) {
	name := o.confFile(e)
	text, err := e.Host().ReadFile(name)
	if err != nil {
		return nil, nil, nil, unreadable{name, err}
	}
	c, problems := config.ParseUpsmon(name, text)
	return c, problems, text, usable(c, problems)
}

// unreadable is the error of a file that cannot be read.
type unreadable struct {
	name  string
	cause error
}

func (u unreadable) Error() string { return fmt.Sprintf("Can't open %s: %s", u.name, cause(u.cause)) }
func (u unreadable) Unwrap() error { return u.cause }

// cause is why a file cannot be read, in the words of strerror.
func cause(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	}
	return err.Error()
}

// oldMonitor is in the problem of a MONITOR line without a user name.
const oldMonitor = "old-style MONITOR"

// usable returns why a configuration cannot be run at all.
func usable(c *config.Upsmon, problems []config.Problem) error {
	for _, p := range problems {
		if strings.Contains(p.Cause, oldMonitor) {
			return errors.New("Fatal error: unusable configuration")
		}
	}
	sum := 0
	for _, m := range c.Monitors {
		if _, _, _, err := client.SplitName(m.System); err != nil {
			return fmt.Errorf("Fatal error: unusable configuration: MONITOR %s: %w", m.System, err)
		}
		sum += m.PowerValue
	}
	if sum < c.MinSupplies {
		return fmt.Errorf("Fatal error: insufficient power configured!\n\n"+
			"Sum of power values........: %d\nMinimum value (MINSUPPLIES): %d\n\n"+
			"Edit your upsmon.conf and change the values.", sum, c.MinSupplies)
	}
	return nil
}

// complain logs what is wrong with the file.
func complain(e env.Env, problems []config.Problem) {
	ignored := 0
	for _, p := range problems {
		if p.Warning {
			e.Log().Warn(p.Error())
			continue
		}
		ignored++
		e.Log().Error(p.Error())
	}
	if ignored > 0 {
		e.Log().Error(fmt.Sprintf("Encountered %d config errors, those entries were ignored", ignored))
	}
}

// decisive are the settings that Decide needs.
func decisive(c *config.Upsmon) Settings {
	return Settings{MinSupplies: c.MinSupplies, HostSync: c.HostSync, DeadTime: c.DeadTime,
		OffDuration: c.OffDuration, OBLBDuration: c.OBLBDuration, OverDuration: c.OverDuration,
		AlarmCritical: c.AlarmCritical, NUTRules: c.NUTRules}
}

// tell says what is in force, to people and to machines.
func (m *monitor) tell(e env.Env) {
	c := m.conf
	setting := func(name string, n int64, value string) {
		e.Emit(env.Event{Kind: env.Setting, Name: name, N: n, Value: value})
	}
	for _, d := range c.Durations() {
		setting(d.Name, int64(d.Value), "")
	}
	setting("MINSUPPLIES", int64(c.MinSupplies), "")
	setting("ALARMCRITICAL", int64(map[bool]int{true: 1}[c.AlarmCritical]), "")
	setting("NUT_RULES", int64(map[bool]int{true: 1}[c.NUTRules]), "")
	if m.split.Flag != "" {
		setting("POWERDOWNFLAG", 0, m.split.Flag)
	}
	for _, w := range c.Monitors {
		role := "secondary"
		if w.Role == config.Primary {
			role = "primary"
		}
		e.Emit(env.Event{Kind: env.Monitor, UPS: w.System, Name: role, N: int64(w.PowerValue)})
		if w.PowerValue == 0 {
			e.Log().Info(fmt.Sprintf("UPS: %s (monitoring only)", w.System))
			continue
		}
		e.Log().Info(fmt.Sprintf("UPS: %s (%s) (power value %d)", w.System, role, w.PowerValue))
	}
}

// remind says what a site may have forgotten.
func (m *monitor) remind(e env.Env) {
	if m.split.Flag != "" {
		e.Log().Info("Using power down flag file " + m.split.Flag)
	} else if m.conf.PowerdownFlag == "" {
		e.Log().Warn("Warning: no POWERDOWNFLAG defined: after a shutdown on battery the UPS will not be " +
			"told to cut the power, so nothing starts this host again when mains returns")
	}
	if m.conf.ShutdownCmd == "" {
		e.Log().Warn("Warning: no shutdown command defined!")
	}
	if len(m.conf.NotifyCmd) == 0 {
		e.Log().Info("Warning: no custom notification command defined, just so you know")
	}
}
