// Command upscmd gives a UPS instant commands.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upscmd"
)

func main() { os.Exit(osenv.Run("upscmd", upscmd.Main)) }
