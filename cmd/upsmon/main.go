// Command upsmon watches the UPSes that feed this host and shuts it down in time and in order.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upsmon"
)

func main() { os.Exit(osenv.Run("upsmon", upsmon.Main)) }
