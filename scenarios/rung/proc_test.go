package rung

import (
	"os/exec"
	"testing"
)

func TestAKilledProcessIsGoneAfterItsEndWasAwaited(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait() // late on purpose: until then its number remains
	if gone(cmd.Process.Pid) {
		t.Error("it runs and is taken for gone")
	}
	cmd.Process.Kill()
	if err := awaitEnd([]int{cmd.Process.Pid}); err != nil {
		t.Error(err)
	}
}
