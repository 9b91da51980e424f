// Command upsd serves what the drivers of this host know to clients on the network.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upsd"
)

func main() { os.Exit(osenv.Run("upsd", upsd.Main)) }
