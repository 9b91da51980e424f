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

func main() {
	prog := filepath.Base(os.Args[0])
	named := false
	if prog == "upsdrv" && len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		prog, named = os.Args[1], true
	}
	if prog == "upsdrv" && len(os.Args) == 2 && os.Args[1] == "--list" {
		for _, d := range drivers.All {
			for _, name := range append([]string{d.Name}, d.Aliases...) {
				fmt.Println(name)
			}
		}
		return
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
