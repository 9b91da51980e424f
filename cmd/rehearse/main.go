// Command rehearse runs power-failure scenarios against the stack: the same drivers, upsd and
// upsmon that guard real machines, in virtual time or as real processes.
//
// Start at the table of verbs in verbs.go; run.go is the main job.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program without the process around it.
func run(args []string, out, errOut io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Fprint(out, help())
		return 0
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(args[1:], out, errOut)
		}
	}
	fmt.Fprintf(errOut, "rehearse: no verb %q\n\n%s", args[0], help())
	return 2
}
