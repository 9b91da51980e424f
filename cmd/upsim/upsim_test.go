package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
	"github.com/blackstart-ups/blackstart/nut/transport/serial"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"upsim": main})
}

// patience is for what must come; a loaded machine is slow.
const realPatience = 10 * time.Second

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await,
			"ask":   ask,
			"find":  find,
		},
	})
}

// await FILE... waits until all files exist; !await until none does.
func await(ts *testscript.TestScript, neg bool, args []string) {
	until := time.Now().Add(realPatience)
	for _, name := range args {
		for {
			_, err := os.Stat(ts.MkAbs(name))
			if (err == nil) != neg {
				break
			}
			if time.Now().After(until) {
				ts.Fatalf("waited in vain for %s", name)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// ask PORT COMMAND ANSWER sends a command, as a driver does, and compares the answer.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: ask PORT COMMAND ANSWER")
	}
	e, err := osenv.New(osenv.Options{Prog: "ask"})
	ts.Check(err)
	until := time.Now().Add(realPatience)
	s, err := serial.Ports{}.Serial(e, ts.MkAbs(args[0]), transport.Mode{})
	for errors.Is(err, transport.ErrBusy) && time.Now().Before(until) {
		time.Sleep(time.Millisecond) // a program that another script starts may hold it until exec
		s, err = serial.Ports{}.Serial(e, ts.MkAbs(args[0]), transport.Mode{})
	}
	ts.Check(err)
	defer s.Close()
	_, err = s.Write(e, []byte(args[1]+"\r"))
	ts.Check(err)
	var got []byte
	for !bytes.HasSuffix(got, []byte("\r")) {
		b := make([]byte, 64)
		n, err := s.Read(e, b, e.Now().Add(realPatience))
		if err != nil {
			ts.Fatalf("%s: after %q: %v", args[1], got, err)
		}
		got = append(got, b[:n]...)
	}
	if string(got) != args[2]+"\r" {
		ts.Fatalf("%s: the answer is %q; want %q", args[1], got, args[2])
	}
}

// find PORT TEXT opens a USB device and compares what it says of itself; !find: the error.
func find(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: find PORT TEXT")
	}
	e, err := osenv.New(osenv.Options{Prog: "find"})
	ts.Check(err)
	name := devsock.Prefix + ts.MkAbs(args[0])
	dev, err := devsock.Ports{}.USB(e, name, transport.USBWant{})
	got := ""
	if err == nil {
		got = dev.ID().String()
		dev.Close()
	} else {
		got = err.Error()
	}
	if (err != nil) != neg || !strings.Contains(got, args[1]) {
		ts.Fatalf("%s: found %s; want %s", args[0], got, args[1])
	}
}
