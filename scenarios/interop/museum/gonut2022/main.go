// Gonut does what a user of go.nut does, and tells it one fact a line with tabs between the words.
// Arguments: port, user, password, new value of ups.id, port of the server whose UPS gonut2022 gets
// FSD.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	nut "github.com/robbiet480/go.nut"
)

func main() {
	c := connect(os.Args[1])
	tell("did", "protocol", c.ProtocolVersion)
	list, err := c.GetUPSList()
	failed("list", err)
	for _, ups := range list {
		read(ups)
		if ups.Name == "desk" {
			write(ups, os.Args[4])
		}
	}
	help, err := c.Help()
	failed("help", err)
	tell("did", "help", strings.Contains(help, "LIST"))
	ok, err := c.Disconnect()
	failed("disconnect", err)
	tell("did", "disconnect", ok)
	force()
}

func connect(to string) nut.Client {
	port, _ := strconv.Atoi(to)
	c, err := nut.Connect("127.0.0.1", port)
	failed("connect", err)
	ok, err := c.Authenticate(os.Args[2], os.Args[3])
	failed("authenticate", err)
	tell("did", "authenticate", ok)
	return c
}

func force() {
	c := connect(os.Args[5])
	list, err := c.GetUPSList()
	failed("list", err)
	for _, ups := range list {
		if ups.Name == "gonut2022" {
			_, err := ups.CheckIfMaster()
			failed("master", err)
			ok, err := ups.ForceShutdown()
			failed("fsd", err)
			tell("did", "fsd", ok)
		}
	}
	_, err = c.Disconnect()
	failed("disconnect", err)
}

func read(ups nut.UPS) {
	tell("ups", ups.Name, ups.Description)
	tell("did", "logins of "+ups.Name, ups.NumberOfLogins)
	for _, v := range ups.Variables {
		tell("var", ups.Name, v.Name, v.Value)
		tell("desc", ups.Name, v.Name, v.Description)
		if v.Writeable {
			tell("rw", ups.Name, v.Name, "")
		}
	}
	for _, cmd := range ups.Commands {
		tell("cmd", ups.Name, cmd.Name, "")
		tell("cmddesc", ups.Name, cmd.Name, cmd.Description)
	}
}

func write(ups nut.UPS, value string) {
	ok, err := ups.SetVariable("ups.id", value)
	failed("set", err)
	tell("did", "set", ok)
	ok, err = ups.SendCommand("beeper.mute")
	failed("command", err)
	tell("did", "command", ok)
	_, err = ups.CheckIfMaster()
	failed("master", err)
	_, err = ups.SendCommand("no.such")
	failed("command that is none", err)
}

func tell(words ...any) {
	for i, w := range words {
		if i > 0 {
			fmt.Print("\t")
		}
		fmt.Print(w)
	}
	fmt.Println()
}

func failed(step string, err error) {
	if err != nil {
		tell("error", step, err)
	}
}
