package megatec

import (
	"testing"
	"time"
)

func TestPacks(t *testing.T) {
	tests := []struct {
		name           string
		volts, nominal milli
		want           milli
	}{
		{"the pack itself", 27.3e3, 24e3, 1e3},
		{"a deeply discharged pack", 20e3, 24e3, 1e3},
		{"2.00 V of 48 V are 24 cells, not 30", 2e3, 48e3, 24e3},
		{"2.28 V of 96 V are 48 cells", 2.28e3, 96e3, 48e3},
		{"a floating cell of 72 V is one of 36", 2.3e3, 72e3, 36e3},
		{"an empty cell of 72 V is too", 1.7e3, 72e3, 36e3},
		{"a block of 36 V is one of three", 13.6e3, 36e3, 3e3},
		{"an odd pack is found by trying", 3.3e3, 25.6e3, 8e3},
		{"a third of 12 V at its highest", 5e3, 12e3, 3e3},
		{"no voltage", 0, 24e3, 0},
		{"no nominal voltage", 13.6e3, 0, 0},
		{"far too much", 400e3, 24e3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Packs(tt.volts, tt.nominal); got != tt.want {
				t.Errorf("Packs(%s V of %s V) = %s, want %s",
					tt.volts.text(2), tt.nominal.text(1), got.text(1), tt.want.text(1))
			}
		})
	}
}

func TestCharge(t *testing.T) {
	w := DefaultWindow(24e3)
	if w != (Window{Low: 20.8e3, High: 26e3}) {
		t.Errorf("window of 24 V: %+v, want 20.8 to 26 V", w)
	}
	tests := []struct {
		name  string
		volts milli
		want  string
	}{
		{"full", 26e3, "100"}, {"floating above full", 27.3e3, "100"}, {"half", 23.4e3, "50"},
		{"empty", 20.8e3, "0"}, {"below empty", 19e3, "0"},
	}
	for _, tt := range tests {
		if got, ok := w.Charge(tt.volts); !ok || got.text(0) != tt.want {
			t.Errorf("%s: charge at %s V = %s, %v; want %s", tt.name, tt.volts.text(1), got.text(0), ok, tt.want)
		}
	}
	if _, ok := (Window{Low: 5, High: 5}).Charge(5); ok {
		t.Error("a window without width gives a charge")
	}
}

func TestCalibration(t *testing.T) {
	c, err := ParseCalibration("240,100,720,50")
	if err != nil {
		t.Fatal(err)
	}
	a := NewAccount(c, 12*time.Hour, 10, 100e3)
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if d := got - want; d < -2*time.Second || d > 2*time.Second {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("full load", a.Runtime(100e3), 240*time.Second)
	near("half load", a.Runtime(50e3), 720*time.Second)
	near("no load counts as 10 %", a.Runtime(0), a.Runtime(10e3))
	a.Pass(120*time.Second, true, 100e3, absent)
	if got := a.Charge().text(0); got != "50" {
		t.Errorf("charge after half the runtime: %s, want 50", got)
	}
	a.Pass(6*time.Hour, false, 100e3, absent)
	if got := a.Charge().text(0); got != "100" {
		t.Errorf("charge after half the charging time: %s, want 100", got)
	}
	a.Pass(time.Second, false, 100e3, 30e3)
	if got := a.Charge().text(0); got != "30" {
		t.Errorf("charge when the voltage says 30: %s, want 30", got)
	}
	a.Pass(time.Hour, true, 100e3, absent)
	near("empty", a.Runtime(100e3), 0)
	for _, bad := range []string{"", "1,2,3", "240,100,120,50", "0,100,720,50", "240,110,720,50",
		"240,50,720,100", "240,50,720,50", "240,100,720,0", "a,b,c,d", "240,100,720,50,1"} {
		if c, err := ParseCalibration(bad); err == nil {
			t.Errorf("ParseCalibration(%q) = %+v, want an error", bad, c)
		}
	}
}

func TestDelays(t *testing.T) {
	tests := []struct {
		name          string
		off, on       time.Duration
		wire, stayOff string
	}{
		{"the usual", 30 * time.Second, 180 * time.Second, "S.5R0003", "S.5R0000"},
		{"the shortest", 12 * time.Second, time.Minute, "S.2R0001", "S.2R0000"},
		{"just below a minute", 54 * time.Second, time.Minute, "S.9R0001", "S.9R0000"},
		{"a minute", time.Minute, time.Hour, "S01R0060", "S01R0000"},
		{"the longest", 10 * time.Minute, 9999 * time.Minute, "S10R9999", "S10R0000"},
		{"no start delay leaves it to the device", 30 * time.Second, 0, "S.5", "S.5R0000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Delays{Shutdown: tt.off, Start: tt.on}
			if d.shutdownReturn() != tt.wire || d.shutdownStayOff() != tt.stayOff {
				t.Errorf("%v, %v: %q, %q; want %q, %q", tt.off, tt.on,
					d.shutdownReturn(), d.shutdownStayOff(), tt.wire, tt.stayOff)
			}
		})
	}
	for in, want := range map[time.Duration]time.Duration{
		35 * time.Second: 30 * time.Second, 12 * time.Second: 12 * time.Second, 59 * time.Second: 54 * time.Second,
		60 * time.Second: 60 * time.Second, 119 * time.Second: 60 * time.Second, 600 * time.Second: 600 * time.Second,
	} {
		if got := roundShutdown(in); got != want {
			t.Errorf("roundShutdown(%v) = %v, want %v", in, got, want)
		}
	}
}

func TestLengthOfTests(t *testing.T) {
	tests := []struct {
		d     program
		value string
		want  string
	}{
		{qx, "", "T10"}, {qx, "60", "T01"}, {qx, "5940", "T99"}, {qx, "59", ""}, {qx, "5941", ""}, {qx, "x", ""},
		{qx, "-60", ""}, {qx, "99999999999999999999", ""},
		{blazer, "", "T10"}, {blazer, "1", "T01"}, {blazer, "99", "T99"}, {blazer, "0", ""}, {blazer, "100", ""},
	}
	for _, tt := range tests {
		got, err := tt.d.test(tt.value)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("test of %q: %q, %v; want %q", tt.value, got, err, tt.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		name, reply string
		ack, fails  bool
	}{
		{"silence is yes", "", false, false},
		{"ACK", "ACK", true, false},
		{"ACK behind a bracket", "(ACK", true, false},
		{"NAK", "NAK", false, true},
		{"NAK behind a bracket", "(NAK", false, true},
		{"N", "N", false, true},
		{"the command came back", "S.5R0003", false, true},
	}
	for _, tt := range tests {
		ack, err := verdict("S.5R0003", tt.reply)
		if ack != tt.ack || (err != nil) != tt.fails {
			t.Errorf("%s: verdict(%q) = %v, %v", tt.name, tt.reply, ack, err)
		}
	}
}
