package script

import (
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
)

func TestASlowAnswerIsNoStatus(t *testing.T) {
	s := newSeen()
	for i, ev := range []env.Event{
		{Kind: env.Probe, Host: "nas", UPS: "rack", Name: "status", Value: "OL"},
		{Kind: env.Probe, Host: "nas", UPS: "rack", Name: "logins", Value: "2"},
		{Kind: env.Probe, Host: "nas", UPS: "rack", Name: "delay", Value: "reply", N: 3e9},
	} {
		s.take(i, ev)
	}
	if got := s.status["rack"]; got != "OL" {
		t.Errorf("clients read %q; want OL", got)
	}
	if got := s.replies["nas rack"]; got != "OL" {
		t.Errorf("upsd replies %q; want OL", got)
	}
	if got := s.logins["nas rack"]; got != "2" {
		t.Errorf("%q are logged in; want 2", got)
	}
}
