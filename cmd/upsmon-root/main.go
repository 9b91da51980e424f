// Command upsmon-root is what upsmon leaves behind to keep root's rights: it waits to be told that
// the host is to go down. upsmon starts it; it is installed beside it.
package main

import (
	"os"

	"github.com/blackstart-ups/blackstart/nut/env/osenv/root"
)

func main() { os.Exit(root.Main()) }
