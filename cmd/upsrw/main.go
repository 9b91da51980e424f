// Command upsrw shows and changes what can be set in a UPS.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/upsrw"
)

func main() { os.Exit(osenv.Run("upsrw", upsrw.Main)) }
