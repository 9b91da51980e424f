// Upsim is an emulated UPS on this machine: it makes a pseudo-terminal behind which a driver finds
// a device, and pulls its levers.
//
//	upsim serve megatec --pty=/tmp/ups --control=/tmp/ups.ctl --runtime=10m --low=3m
//	upsim ctl /tmp/ups.ctl mains off
//
// The program honours BLACKSTART_REHEARSAL, as all do: its time then runs faster.
package main

import (
	"fmt"
	"os"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
)

func main() { os.Exit(osenv.Run("upsim", upsim)) }

const help = `upsim: an emulated UPS for real drivers

  upsim serve FACE --pty=PATH [--control=PATH] [options]
        Emulates a UPS until it is told to quit. PATH of --pty becomes a link to a
        pseudo-terminal: the port for ups.conf. The faces are: megatec, apcsmart, contact;
        contact needs modem lines, and --socket=PATH in the place of --pty; so does a UPS that
        is a USB device, with --bridge=KIND.
        upsim serve megatec --help lists the options.

  upsim ctl CONTROL REQUEST...
        Pulls a lever of a UPS that serves, by way of its control socket.
        upsim ctl --help lists the requests.

An outage of ten minutes in half a minute, with our driver or with one of NUT:

  export BLACKSTART_REHEARSAL=scale=20       # our programs only; NUT's run in real time
  upsim serve megatec --pty=/tmp/ups --control=/tmp/ups.ctl --runtime=10m --low=3m &
  upsim ctl /tmp/ups.ctl mains off
  upsim ctl /tmp/ups.ctl state
  upsim ctl /tmp/ups.ctl mains on
  upsim ctl /tmp/ups.ctl quit

  in ups.conf:
    [rack]
        driver = nutdrv_qx
        port = /tmp/ups
`

// upsim is the program without the process around it. It returns 2 when it is called wrongly, 1
// when something does not work.
func upsim(e env.Env, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(e.Host().Stderr(), help)
		return 2
	}
	switch args[0] {
	case "serve":
		return serveMain(e, args[1:])
	case "ctl":
		return ctlMain(e, args[1:])
	case "help", "--help", "-h":
		fmt.Fprint(e.Host().Stdout(), help)
		return 0
	}
	fmt.Fprintf(e.Host().Stderr(), "upsim: no verb %q: want serve or ctl; see upsim --help\n", args[0])
	return 2
}
