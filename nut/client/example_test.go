package client_test

import (
	"fmt"
	"os"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// A program that prints the status of a UPS: osenv is this machine, and Run what a program's main
// calls.
func Example() {
	os.Exit(osenv.Run("status", func(e env.Env, _ []string) int {
		c, err := client.Dial(e, "nas", netproto.Port, client.Options{}, e.Now().Add(client.ConnectTime))
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer c.Close()
		fmt.Println(c.Var(e, e.Now().Add(client.AnswerTime), "rack", "ups.status"))
		return 0
	}))
}
