package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHelpOfEveryVerbIsNoError(t *testing.T) {
	for _, v := range verbs() {
		if code := run([]string{v.name, "--help"}, io.Discard, io.Discard); code != 0 {
			t.Errorf("rehearse %s --help: exit %d", v.name, code)
		}
	}
}

func TestAFailureIsToldBesideTheEvents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.txtar")
	if err := os.WriteFile(file, []byte("# bad\nmains a\nhost alpha fedby=nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	if code := run([]string{"run", "--json", file}, &out, &errOut); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	if !strings.Contains(errOut.String(), "no such UPS or feed") || strings.Contains(out.String(), "FAIL") {
		t.Errorf("standard error:\n%s\nstandard output:\n%s", errOut.String(), out.String())
	}
}
