// Command upssched gives the announcements of upsmon timers: it is meant to be its NOTIFYCMD.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upssched"
)

func main() { os.Exit(osenv.Run("upssched", upssched.Main)) }
