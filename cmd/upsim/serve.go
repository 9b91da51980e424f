package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/contact"
	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// setup is what the command line of serve says.
type setup struct {
	pty, socket   string // one of them
	control, name string
	quiet         bool
	spec          power.Spec
	face          string // of faces
	megatec       megatec.Options
	apc           apcsmart.Options
	contact       contact.Options
	usb           usb
	line          serve.Options
	battery       int
	volts         struct{ nominal, low, high, battery, rated, hertz int }
	kill, reject  string
	bare          string
}

// faces are the words for the devices.
var faces = []string{"megatec", "apcsmart", "contact"}

const serveHelp = `upsim serve FACE: a UPS on a pseudo-terminal or a socket. It speaks, as FACE says,
megatec (Q1), apcsmart (APC's smart signalling) or contact (contact closures on modem lines).

  upsim serve megatec --pty=/tmp/ups --control=/tmp/ups.ctl --runtime=10m --low=3m
  upsim serve contact --type=2 --socket=/tmp/ups --control=/tmp/ups.ctl
  upsim serve megatec --bridge=cypress --socket=/tmp/usb/office --control=/tmp/ups.ctl

A socket is the port devsim:PATH for our drivers, not for those of NUT. It carries modem lines and
USB, which no pseudo-terminal has. With --bridge the UPS is a USB device; devsim:FOLDER has a driver
look at all devices with a socket in the folder, as port = auto does on a real bus. Each time such a
device is plugged in again it has another number.

Times are written 90s, 10m, 1h30m. In a rehearsal (BLACKSTART_REHEARSAL) they are times of the
rehearsal.

`

// flags declares the command line.
func (s *setup) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("upsim serve "+s.face, pflag.ContinueOnError)
	f.SortFlags = false
	f.SetOutput(io.Discard) // errors are printed once, by serveMain
	f.StringVar(&s.pty, "pty", "", "the port: `PATH` becomes a link to a pseudo-terminal")
	f.StringVar(&s.socket, "socket", "", "or it is a socket, the port devsim:`PATH`")
	f.StringVar(&s.control, "control", "", "the control socket `PATH`, see upsim ctl")
	f.StringVar(&s.name, "name", "ups", "the `NAME` of this UPS in events and in its state")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "do not tell what happens")

	f.DurationVar(&s.spec.Runtime, "runtime", 0, "`TIME` on battery, from full to empty (default 10m)")
	f.DurationVar(&s.spec.Low, "low", 0,
		"the battery is low when less than `TIME` remains (default 3m)")
	f.DurationVar(&s.spec.Recharge, "recharge", 0, "`TIME` from empty to full (default 4h)")
	f.IntVar(&s.spec.Load, "load", 0, "`PERCENT` of the rated power (default 27)")
	f.IntVar(&s.battery, "battery", 100, "`PERCENT` of charge at the start")
	f.StringVar(&s.kill, "kill", "cycle",
		"`WHEN` it obeys shutdown: cycle (always), onbatt-only, none; cancels (when the mains return "+
			"first), completes (on battery only, but then whatever the mains do)")
	f.DurationVar(&s.spec.Restart, "restart", 0,
		"`TIME` from mains to the outlet coming on (default 5s)")
	f.IntVar(&s.spec.RestartCharge, "restart-charge", 0, "and not below a charge of `PERCENT`")
	f.DurationVar(&s.spec.MinOff, "min-off", 0,
		"`TIME` that a cycle keeps the outlet off at least (default 10s)")
	f.BoolVar(&s.spec.DeepSleep, "deep-sleep", false, "off on battery, it does not answer either")

	f.IntVar(&s.volts.nominal, "voltage", 230, "nominal `VOLTS` of the mains")
	f.IntVar(&s.volts.low, "transfer-low", 0, "the battery takes over below `VOLTS` (default 74 %)")
	f.IntVar(&s.volts.high, "transfer-high", 0, "and above `VOLTS` (default 122 %)")
	f.IntVar(&s.volts.hertz, "frequency", 50, "`HERTZ` of the mains")
	f.IntVar(&s.volts.rated, "rated", 600, "rated power, `WATTS`")
	f.IntVar(&s.volts.battery, "battery-voltage", 24, "nominal `VOLTS` of the battery")

	s.faceFlags(f)

	f.IntVar(&s.line.Baud, "baud", 2400, "`SPEED` of the line; bytes take their time")
	f.DurationVar(&s.line.Latency, "latency", 0, "`TIME` before each answer")
	f.Uint64Var(&s.line.Seed, "seed", 0, "`NUMBER` of the noise that faults make")
	return f
}

// faceFlags declares what only one face has.
func (s *setup) faceFlags(f *pflag.FlagSet) {
	switch s.face {
	case "apcsmart":
		f.StringVar(&s.apc.Model, "model", apcsmart.SmartUPS,
			"`KIND` of unit: "+strings.Join(apcsmart.Models(), ", "))
		f.BoolVar(&s.apc.Star, "star", false, "acknowledges an order to switch off by * alone")
		f.BoolVar(&s.apc.Rude, "rude", false, "cries out in the middle of its answers")
		return
	case "contact":
		f.IntVar(&s.contact.Type, "type", 0, "`NUMBER` of the cable, as upstype of genericups")
		f.DurationVar(&s.contact.Hold, "hold", 0,
			"`TIME` for which the order to switch off must be there (default 1s)")
		f.DurationVar(&s.contact.Delay, "delay", 0, "`TIME` from then to the cut")
		f.BoolVar(&s.contact.Latch, "latch", false, "an order stays one when its lines change back")
		return
	}
	f.StringVar(&s.megatec.Dialect, "dialect", "megatec",
		"the protocol `NAME`: "+strings.Join(megatec.Dialects(), ", "))
	f.BoolVar(&s.megatec.PerCell, "per-cell", false, "Q1 gives the voltage of one cell")
	f.StringVar(&s.reject, "reject", "echo",
		"the answer `HOW` to unknown commands: "+strings.Join(rejections[:], ", "))
	f.BoolVar(&s.megatec.Stubborn, "stubborn", false,
		"a pending shutdown must be cancelled before another")
	f.BoolVar(&s.megatec.NoCancel, "no-cancel", false, "does not know C")
	f.BoolVar(&s.megatec.NoRestart, "no-restart", false, "knows S without R only")
	f.StringVar(&s.bare, "bare", "returns",
		"what S does without R: off and `HOW`: returns, waits (for the mains to come back), stays")
	f.BoolVar(&s.megatec.Hasty, "hasty", false, "comes back with the mains, whatever R says")
	f.BoolVar(&s.megatec.Early, "early", false,
		"early firmware: off for good when R is less than three minutes")
	f.BoolVar(&s.megatec.NoRating, "no-rating", false, "does not know F")
	f.BoolVar(&s.megatec.NoVendor, "no-vendor", false, "does not know I")
	f.StringVar(&s.megatec.Maker, "maker", "", "`TEXT` of the answer to I: up to 15 characters")
	f.StringVar(&s.megatec.Model, "model", "", "`TEXT` of the answer to I: up to 10 characters")
	f.StringVar(&s.megatec.Version, "version", "", "`TEXT` of the answer to I: up to 10 characters")
	s.usb.flags(f, &s.line)
}

// rejections are the names of megatec.Rejection, in its order.
var rejections = [...]string{"echo", "nak", "(nak", "nothing"}

// parse fills s from the arguments after the face.
func (s *setup) parse(args []string) error {
	f := s.flags()
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%q is not an option", f.Arg(0))
	}
	switch {
	case s.pty == "" && s.socket == "":
		return errors.New("--pty is missing, or --socket: where shall the port be?")
	case s.pty != "" && s.socket != "":
		return errors.New("--pty and --socket: want one of them")
	case s.pty != "" && s.face == "contact":
		return errors.New("--pty: a pseudo-terminal has no modem lines; want --socket")
	}
	err := s.usb.parse(f, s.pty)
	if err != nil {
		return err
	}
	if s.spec.Kill, err = power.ParseKillMode(s.kill); err != nil {
		return fmt.Errorf("--kill: %w", err)
	}
	if err := s.parseFace(); err != nil {
		return err
	}
	if s.battery < 0 || s.battery > 100 {
		return fmt.Errorf("--battery %d: want 0 to 100", s.battery)
	}
	if s.line.Baud < 50 || s.line.Baud > 4_000_000 {
		return fmt.Errorf("--baud %d: want 50 to 4000000", s.line.Baud)
	}
	const milli = 1000
	v := s.volts
	s.spec.Nominal, s.spec.BatteryNominal = v.nominal*milli, v.battery*milli
	s.spec.TransferLow, s.spec.TransferHigh = v.low*milli, v.high*milli
	s.spec.Rated, s.spec.Frequency = v.rated*milli, v.hertz*milli
	return s.spec.Check()
}

// parseFace checks what only one face has.
func (s *setup) parseFace() error {
	switch s.face {
	case "apcsmart":
		if !slices.Contains(apcsmart.Models(), s.apc.Model) {
			return fmt.Errorf("--model %q: want one of %s",
				s.apc.Model, strings.Join(apcsmart.Models(), ", "))
		}
		return nil
	case "contact":
		_, err := contact.New(power.New(power.Spec{}), s.contact)
		return err
	}
	if !slices.Contains(megatec.Dialects(), s.megatec.Dialect) {
		return fmt.Errorf("--dialect %q: want one of %s",
			s.megatec.Dialect, strings.Join(megatec.Dialects(), ", "))
	}
	at := slices.Index(rejections[:], s.reject)
	if at < 0 {
		return fmt.Errorf("--reject %q: want one of %s", s.reject, strings.Join(rejections[:], ", "))
	}
	s.megatec.Reject = megatec.Rejection(at)
	var err error
	if s.megatec.Bare, err = megatec.ParseBare(s.bare); err != nil {
		return fmt.Errorf("--%w", err)
	}
	return nil
}

// device puts the face in front of a body.
func (s *setup) device(body *power.UPS) (dev serve.Face, seen func() []string) {
	switch s.face {
	case "apcsmart":
		d := apcsmart.New(body, s.apc)
		return d, d.Seen
	case "contact":
		d, err := contact.New(body, s.contact)
		if err != nil {
			panic(err) // parseFace has tried it
		}
		return d, d.Seen
	}
	d := megatec.New(body, s.megatec)
	return d, d.Seen
}

// port puts the cable where programs find it.
func (s *setup) port(e env.Env, c serve.Port) (path string, close func(), err error) {
	if s.socket != "" {
		p, err := serve.NewSocket(e, c, s.socket)
		if err != nil {
			return "", nil, err
		}
		return p.Path(), p.Close, nil
	}
	p, err := serve.NewPty(e, c.(*serve.Cable), s.pty) // parse has seen to that
	if err != nil {
		return "", nil, err
	}
	return p.Path(), p.Close, nil
}

func serveMain(e env.Env, args []string) int {
	out, errOut := e.Host().Stdout(), e.Host().Stderr()
	s := setup{face: faces[0]}
	switch {
	case len(args) > 0 && (args[0] == "--help" || args[0] == "-h"):
		fmt.Fprint(out, serveHelp, s.flags().FlagUsagesWrapped(100))
		return 0
	case len(args) == 0 || !slices.Contains(faces, args[0]):
		fmt.Fprintf(errOut, "upsim serve: which face? There are: %s. See upsim --help\n",
			strings.Join(faces, ", "))
		return 2
	}
	s.face = args[0]
	switch err := s.parse(args[1:]); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(out, serveHelp, s.flags().FlagUsagesWrapped(100))
		return 0
	case err != nil:
		fmt.Fprintf(errOut, "upsim serve: %v; see upsim serve %s --help\n", err, s.face)
		return 2
	}
	if err := s.run(e, out); err != nil {
		fmt.Fprintf(errOut, "upsim serve: %v\n", err)
		return 1
	}
	return 0
}

// run emulates until a signal or the request quit comes.
func (s *setup) run(e env.Env, out io.Writer) error {
	signals := e.Host().Signals() // from here on we clean up when told to end
	body := power.New(s.spec)
	start := time.Duration(e.Now())
	body.SetBattery(start, s.battery)
	serve.Announce(e, s.name, body)
	if !s.quiet {
		body.OnChange(func(c power.Change) { report(out, start, c) })
	}
	dev, seen := s.device(body)
	cable, err := s.plug(dev)
	if err != nil {
		return err
	}
	tasks, scope := e.Scope("ups")
	defer scope.Wait(e)
	defer scope.Stop()
	if s.control != "" {
		l, err := serve.Listen(e, s.control)
		if err != nil {
			return err
		}
		defer e.Host().Remove(s.control) // if it fails, the next one sees that nobody listens
		defer l.Close()
		c := &serve.Control{Name: s.name, Body: body, Cable: cable, Seen: seen,
			Quit: func() { signals.Put(env.Terminate) }}
		tasks.Go("control", func(e env.Env) error { return c.Serve(e, l) })
	}
	tasks.Go("time", func(e env.Env) error { return serve.Keep(e, body) })
	port, hangUp, err := s.port(tasks, cable) // last: who sees the port finds all the rest
	if err != nil {
		return err
	}
	defer hangUp()
	fmt.Fprintf(out, "upsim: %s is ready on %s\n", s.name, port)
	for {
		sig, err := signals.Get(e, env.Never)
		if err != nil || sig == env.Terminate || sig == env.Interrupt {
			return nil
		}
	}
}

// report prints a change for people.
func report(out io.Writer, start time.Duration, c power.Change) {
	if c.Name == power.Timer {
		return
	}
	at := (c.At - start).Truncate(time.Millisecond)
	fmt.Fprintf(out, "%12v  %-8s %-7s  %s\n", at, c.Name, c.Value, c.Why)
}
