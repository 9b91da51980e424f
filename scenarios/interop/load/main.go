package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	do := run
	if task := os.Getenv(probeVar); task != "" {
		do = func() error { return probeMain(task) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// options are the flags of both verbs.
type options struct {
	upsd   string
	rounds int
	time   time.Duration
	only   string
	cert   string
}

func run() error {
	var o options
	flag.StringVar(&o.upsd, "upsd", "", "servers as name=path, separated by commas; "+
		"without it ours, built now, and Debian's if installed")
	flag.IntVar(&o.rounds, "n", 5, "rounds of each measurement")
	flag.DurationVar(&o.time, "t", 0, "time of one measurement (1s, attack 2s)")
	flag.StringVar(&o.only, "only", "", "only measurements whose name contains this")
	flag.StringVar(&o.cert, "cert", "", "attack: PEM file for CERTFILE; without it one is made")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: load [flags] bench|attack")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		return errors.New("want one verb: bench or attack")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tmp, err := os.MkdirTemp("", "load")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	kits, err := servers(o.upsd, tmp)
	if err != nil {
		return err
	}
	switch flag.Arg(0) {
	case "bench":
		return benchAll(ctx, kits, o)
	case "attack":
		return attackAll(ctx, kits, o)
	}
	return fmt.Errorf("verb %q: want bench or attack", flag.Arg(0))
}

// A kit is one upsd.
type kit struct{ name, path string }

// debianUPSD is the program itself; /usr/sbin/upsd is a script that asks whether NUT is enabled.
const debianUPSD = "/lib/nut/upsd"

// servers are those that were named, or ours and Debian's.
func servers(named, tmp string) ([]kit, error) {
	if named == "" {
		ours, err := build(tmp)
		if err != nil {
			return nil, err
		}
		kits := []kit{ours}
		if _, err := os.Stat(debianUPSD); err == nil {
			kits = append(kits, kit{"debian", debianUPSD})
		}
		return kits, nil
	}
	var kits []kit
	for _, word := range strings.Split(named, ",") {
		name, path, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("-upsd %q: want name=path", word)
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		kits = append(kits, kit{name, path})
	}
	return kits, nil
}

// build makes our upsd as it is released.
func build(dir string) (kit, error) {
	k := kit{"blackstart", filepath.Join(dir, "upsd")}
	cmd := exec.Command("go", "build", "-o", k.path, "github.com/blackstart-ups/blackstart/cmd/upsd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return kit{}, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return k, nil
}
