// Command upsc shows what upsd knows about a UPS.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upsc"
)

func main() { os.Exit(osenv.Run("upsc", upsc.Main)) }
