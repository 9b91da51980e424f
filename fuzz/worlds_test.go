package fuzz

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/script"
)

// hosts is the size of the room: a primary and two secondaries.
const hosts = 3

// window draws when a fault begins and how long it lasts. Small numbers are the harmless ones, so
// that a plan shrinks towards nothing.
func window(t *rapid.T, longest time.Duration) (at, until time.Duration) {
	at = time.Duration(rapid.Int64Range(0, int64(script.HurtTime/time.Second)).Draw(t, "at")) * time.Second
	return at, at + time.Duration(rapid.Int64Range(1, int64(longest/time.Second)).Draw(t, "for"))*time.Second
}

func host(t *rapid.T) string { return fmt.Sprintf("h%d", rapid.IntRange(0, hosts-1).Draw(t, "host")) }

func drawHurt(t *rapid.T) script.Hurt {
	h := script.Hurt{Kind: rapid.SampledFrom(script.FaultKinds).Draw(t, "kind")}
	switch h.Kind {
	case "outage":
		h.A = "a"
		h.At, h.Until = window(t, 15*time.Minute)
	case "silence":
		h.A = "rack"
		h.At, h.Until = window(t, time.Minute)
	case "partition", "delay":
		h.A, h.B = "h0", fmt.Sprintf("h%d", rapid.IntRange(1, hosts-1).Draw(t, "secondary"))
		h.At, h.Until = window(t, 2*time.Minute)
	default:
		h.A, h.B = host(t), "upsmon"
		if h.A == "h0" {
			h.B = rapid.SampledFrom([]string{"upsmon", "upsd", "driver:rack"}).Draw(t, "service")
		}
		h.At, h.Until = window(t, 30*time.Second)
	}
	return h
}

// TestNoPlanOfFaultsBreaksAnOracle runs rooms of full daemons under plans that shrink: a failure prints
// the smallest plan that still breaks the same oracle.
func TestNoPlanOfFaultsBreaksAnOracle(t *testing.T) {
	first := "" // the oracle that broke first: shrinking must not slip to another one
	rapid.Check(t, func(t *rapid.T) {
		plan := rapid.SliceOfN(rapid.Custom(drawHurt), 0, 6).Draw(t, "plan")
		room, err := rung.Crowd(hosts)
		if err != nil {
			t.Fatal(err)
		}
		defer room.Close()
		quiet, err := script.Play(room, plan)
		if err != nil {
			t.Fatal(err)
		}
		report := check.Run(room.Trace(), 0, quiet)
		if report.OK() {
			return
		}
		if first == "" {
			first = report.Violations[0].ID
		}
		if report.Violations[0].ID != first {
			return
		}
		var lines []string
		for _, h := range plan {
			lines = append(lines, h.String())
		}
		t.Fatalf("%s\nthe faults were:\n%s", report, strings.Join(lines, "\n"))
	})
}
