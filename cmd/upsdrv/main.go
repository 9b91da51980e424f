// Upsdrv is every driver of this project in one program. It runs as the driver under whose name it
// is installed, or as the one that its first argument names:
//
//	nutdrv_qx -a office
//	upsdrv nutdrv_qx -a office
//	upsdrv --list                 # the names, one a line
//
// It is the one program that wants cgo, for USB; see nut/transport/usb.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
	"github.com/blackstart-ups/blackstart/nut/transport/serial"
	"github.com/blackstart-ups/blackstart/nut/transport/usb"
)

const help = `upsdrv: every driver in one program

  NAME [options]            NAME is a link to upsdrv
  upsdrv NAME [options]     the same without the link; NAME --help lists the options
  upsdrv --list             the names, one a line

There are %s.
`

// names lists all drivers, and the other names that they have.
func names() []string {
	var all []string
	for _, d := range drivers.All {
		all = append(append(all, d.Name), d.Aliases...)
	}
	return all
}

func main() {
	prog := filepath.Base(os.Args[0])
	named := false
	if prog == "upsdrv" && len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		prog, named = os.Args[1], true
	}
	if prog == "upsdrv" && len(os.Args) == 2 && os.Args[1] == "--list" {
		for _, name := range names() {
			fmt.Println(name)
		}
		return
	}
	if prog == "upsdrv" && !named {
		text := fmt.Sprintf(help, strings.Join(names(), ", "))
		if len(os.Args) == 2 && (os.Args[1] == "-h" || os.Args[1] == "--help") {
			fmt.Print(text)
			return
		}
		fmt.Fprint(os.Stderr, text)
		os.Exit(1)
	}
	ports := devsock.Ports{Real: usb.Ports{Others: &serial.Follower{Folder: serial.ByID}}}
	run := driver.Main(drivers.All, ports, prog)
	os.Exit(osenv.Run(prog, func(e env.Env, args []string) int {
		if named {
			args = args[1:]
		}
		return run(e, args)
	}))
}
