package usb

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTheLibraryDoesNotFloodTheLog(t *testing.T) {
	var out bytes.Buffer
	m := &muffler{log: slog.New(slog.NewTextHandler(&out, nil))}
	for range 1000 {
		fmt.Fprintln(m, "handle_events: error: libusb: i/o error [code -1]")
	}
	m.last = m.last.Add(-time.Minute)
	fmt.Fprintln(m, "again")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "i/o error [code -1]\"") ||
		!strings.Contains(lines[1], "again") {
		t.Errorf("%d lines:\n%s", len(lines), out.String())
	}
}
