package root

import (
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Order is the one byte that the child may send; any other means nothing. The first has the flag
// written, the second has the command run.
const Order = 1

// goOn is env.GoOn: the second order must not be what the shutdown fails for.
const goOn = 2 * time.Second

// Steps of the work, as told to the child: a byte, and a byte with an error number or an exit code.
const (
	Flagged = 1 + iota
	Again
	Ended
	NotRun
)

// startOver is env.StartOver.
const startOver = 75

// Main is the program. It returns its exit code.
func Main() int {
	var j Job
	if !j.read() {
		os.Stderr.WriteString("This program is started by the one it is named after, and by nobody else.\n")
		return 1
	}
	return j.attend()
}

// attend waits for the order and for the end of the child.
func (j *Job) attend() int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
		syscall.SIGUSR1, syscall.SIGUSR2)
	ended, orders := make(chan int, 1), make(chan struct{}, 2)
	begun, done := make(chan struct{}), make(chan bool, 1)
	go func() { ended <- wait(j.Child) }()
	go j.listen(orders)
	begin := func(yes bool) {
		if !yes {
			done = nil
			return
		}
		go func() { done <- j.carryOut(orders, begun) }()
	}
	first := (<-chan struct{})(orders)
	if j.Ready > 0 {
		syscall.Write(j.Ready, []byte{1})
		syscall.Close(j.Ready)
	}
	for {
		select {
		case s := <-signals:
			syscall.Kill(j.Child, s.(syscall.Signal))
		case _, yes := <-first:
			first = nil
			begin(yes)
		case code := <-ended:
			if first != nil {
				_, yes := <-first // it may have been its last word
				begin(yes)
			}
			return j.after(code, begun, done)
		}
	}
}

// after is what is left to do when the child has ended. Its code 0 is the end for both, also while
// the command runs: a halting system may have asked for it.
func (j *Job) after(code int, begun <-chan struct{}, done <-chan bool) int {
	switch {
	case code == 0 && done != nil:
		select {
		case <-begun:
		case <-done:
		}
		return j.leave(0)
	case code == 0:
		return j.leave(0)
	case done != nil:
		j.log("the child process has ended with " + strconv.Itoa(code) +
			"; the shutdown goes on without it")
		if <-done {
			return j.leave(0)
		}
		j.log("Unable to call shutdown command: " + j.Command)
	case code == startOver:
		return j.over()
	default:
		j.log("the child process has ended with " + strconv.Itoa(code) +
			": nothing watches the UPSes any more; start it again")
	}
	return j.leave(1)
}

// over starts the program again in the place of this process.
func (j *Job) over() int {
	environ := append(others(), OverVar+"="+strconv.Itoa(j.Keep))
	if j.Mark != "" {
		environ = append(environ, j.Mark)
	}
	syscall.Close(j.Orders)
	syscall.Close(j.Deeds)
	j.forget()
	err := syscall.Exec(j.Program, append([]string{j.Typed}, os.Args[1:]...), environ)
	j.log("cannot start " + j.Program + " again: " + err.Error())
	return 1
}

// leave removes the PID file and hands back the exit code.
func (j *Job) leave(code int) int {
	j.forget()
	return code
}

// forget removes the PID file, unless it is another instance's by now. Whatever else may stand in
// its place must not hold up this process.
func (j *Job) forget() {
	const how = syscall.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	fd, err := syscall.Open(j.PIDFile, how, 0)
	if err != nil {
		return
	}
	b := make([]byte, 32)
	n, _ := syscall.Read(fd, b)
	syscall.Close(fd)
	if n > 0 && string(b[:n]) == strconv.Itoa(j.Child)+"\n" {
		os.Remove(j.PIDFile)
	}
}

// listen passes orders on until nobody can give any.
func (j *Job) listen(orders chan<- struct{}) {
	defer close(orders)
	b := make([]byte, 1)
	for {
		n, err := syscall.Read(j.Orders, b)
		switch {
		case err == syscall.EINTR:
		case err != nil || n == 0:
			return
		case b[0] == Order:
			select {
			case orders <- struct{}{}:
			default: // it has all it wants
			}
		}
	}
}

// carryOut does what this process is for, and reports whether it succeeded. begun is closed when
// the command runs. Without a command there must be no flag: the next halt would cut the power.
func (j *Job) carryOut(orders <-chan struct{}, begun chan<- struct{}) bool {
	if j.Command == "" {
		return false
	}
	var err error
	if j.Flag != "" {
		err = write(j.Flag, j.Text)
	}
	j.tell(Flagged, number(err))
	select {
	case <-orders: // or their end
	case <-time.After(goOn):
	}
	for try := range j.Tries {
		if try > 0 {
			time.Sleep(j.Pause)
			j.tell(Again, 0)
		}
		pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", j.Command},
			&syscall.ProcAttr{Env: others(), Files: []uintptr{0, 1, 2},
				Sys: &syscall.SysProcAttr{Setpgid: true}})
		if err != nil {
			j.tell(NotRun, number(err))
			continue
		}
		if try == 0 {
			close(begun)
		}
		code := wait(pid)
		j.tell(Ended, code)
		if code == 0 {
			return true
		}
	}
	return false
}

// tell tells the child; one that is dead misses nothing.
func (j *Job) tell(step, n int) { syscall.Write(j.Deeds, []byte{byte(step), byte(n)}) }

// number is the system's number of an error, 0 for none.
func number(err error) int {
	for err != nil {
		if n, ok := err.(syscall.Errno); ok {
			return int(n)
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return int(syscall.EIO)
		}
		err = u.Unwrap()
	}
	return 0
}

// wait returns the exit code of a process, 128+n when signal n killed it.
func wait(pid int) int {
	var ws syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &ws, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 1
		case ws.Signaled():
			return 128 + int(ws.Signal())
		case ws.Exited():
			return ws.ExitStatus()
		}
	}
}

// write replaces a file, so that a power cut leaves the old content or the new, and somebody who
// can write to the folder cannot send it elsewhere.
func write(name, text string) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	if d, err := os.Open(filepath.Dir(name)); err == nil {
		d.Sync()
		d.Close()
	}
	return nil
}

// log says something for which there is no child any more. Only here a socket is opened, and
// closed.
func (j *Job) log(text string) {
	text = j.Name + " parent: " + text
	if j.Log == "stderr" {
		os.Stderr.WriteString(text + "\n")
	}
	if j.Log != "syslog" {
		return
	}
	const daemonError = "<27>"
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	line := daemonError + j.Name + "[" + strconv.Itoa(os.Getpid()) + "]: " + text
	syscall.Sendto(fd, []byte(line), syscall.MSG_DONTWAIT, &syscall.SockaddrUnix{Name: "/dev/log"})
	syscall.Close(fd)
}
