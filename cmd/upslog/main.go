// Command upslog writes what UPSes measure to a file, at intervals.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upslog"
)

func main() { os.Exit(osenv.Run("upslog", upslog.Main)) }
