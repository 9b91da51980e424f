// Package child starts processes that do not outlive the one that starts them, even when it
// crashes, and that know nothing of the NUT of this machine.
package child

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// Environ is the environment of this process without the variables that programs of NUT or ours
// obey.
func Environ() []string {
	var vars []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "NUT_") && !strings.HasPrefix(kv, "BLACKSTART_") {
			vars = append(vars, kv)
		}
	}
	return vars
}

// Start is cmd.Start; the process is killed when this one ends, however it ends.
func Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	result := make(chan error)
	starts() <- func() { result <- cmd.Start() }
	return <-result
}

// starts hands calls to one thread that lives as long as the process: the kernel kills a child with
// Pdeathsig when the thread that made it ends.
var starts = sync.OnceValue(func() chan func() {
	c := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range c {
			f()
		}
	}()
	return c
})
