// Upsdrvctl starts and stops the drivers that ups.conf names.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upsdrvctl"
)

func main() { os.Exit(osenv.Run("upsdrvctl", upsdrvctl.Main)) }
