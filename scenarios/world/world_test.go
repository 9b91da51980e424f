package world_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// echo answers each byte it gets, on port 7.
func echo(e env.Env, _ []string) int {
	e.Host().Detach(e)
	l, err := e.Net().Listen(e, "tcp", "0.0.0.0:7")
	if err != nil {
		return 1
	}
	e.Host().Ready(e, "listening")
	for {
		c, err := l.Accept(e, env.Never)
		if err != nil {
			return 0
		}
		e.Go("conn", func(e env.Env) error {
			p := make([]byte, 100)
			for {
				n, err := c.Read(e, p, env.Never)
				if err != nil {
					c.Close()
					return nil
				}
				c.Write(e, p[:n], env.Never)
			}
		})
	}
}

func newWorld(t *testing.T, o world.Options) *world.World {
	if o.Programs == nil {
		o.Programs = func(_ *world.Host, name string) env.Main {
			return map[string]env.Main{"echo": echo}[name]
		}
	}
	w := world.New(o)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func host(w *world.World, name string) *world.Host {
	h := w.Host(name)
	h.PowerOn()
	return h
}

// diary collects what a program saw, with times.
type diary struct{ lines []string }

func (d *diary) add(e env.Env, format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf("%v ", time.Duration(e.Now()).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

func (d *diary) want(t *testing.T, lines ...string) {
	t.Helper()
	if got, want := strings.Join(d.lines, "\n"), strings.Join(lines, "\n"); got != want {
		t.Errorf("saw:\n%s\nwant:\n%s", got, want)
	}
}

// ask dials the echo server once and then sends a byte every second.
func ask(d *diary, to string, rounds int) env.Main {
	return func(e env.Env, _ []string) int {
		c, err := e.Net().Dial(e, "tcp", to, e.Now().Add(10*time.Second))
		if err != nil {
			d.add(e, "dial: %v", err)
			return 1
		}
		p := make([]byte, 100)
		for range rounds {
			if _, err := c.Write(e, []byte("x"), e.Now().Add(time.Second)); err != nil {
				d.add(e, "write: %v", err)
				return 1
			}
			n, err := c.Read(e, p, e.Now().Add(2*time.Second))
			if err != nil {
				d.add(e, "read: %v", err)
			} else {
				d.add(e, "got %s", p[:n])
			}
			e.Sleep(time.Second)
		}
		return 0
	}
}

func TestPeersLearnOfACrashAtOnceAndOfPowerLossNever(t *testing.T) {
	for _, tt := range []struct {
		name string
		hurt func(*world.Host)
		want []string
	}{
		{"a killed process", func(h *world.Host) { h.Find("echo")[0].Kill() },
			[]string{"1ms got x", "1.001s read: EOF", "2.001s write: Connection reset by peer"}},
		{"a computer without power", (*world.Host).PowerOff,
			[]string{"1ms got x", "3.001s read: Connection timed out", "6.001s read: Connection timed out"}},
		{"a frozen process", func(h *world.Host) { h.Find("echo")[0].Pause() },
			[]string{"1ms got x", "3.001s read: Connection timed out", "6.001s read: Connection timed out"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, world.Options{})
			a, b := host(w, "a"), host(w, "b")
			a.Start("echo", nil)
			var d diary
			b.StartMain("ask", ask(&d, "a:7", 3))
			w.RunFor(500 * time.Millisecond)
			tt.hurt(a)
			if err := w.RunFor(time.Minute); err != nil {
				t.Fatal(err)
			}
			if len(d.lines) > len(tt.want) {
				d.lines = d.lines[:len(tt.want)]
			}
			d.want(t, tt.want...)
		})
	}
}

func TestACutLinkHoldsBytesBackAndDialsTimeOut(t *testing.T) {
	w := newWorld(t, world.Options{})
	a, b := host(w, "a"), host(w, "b")
	a.Start("echo", nil)
	var old, fresh diary
	b.StartMain("ask", ask(&old, "a:7", 3))
	w.RunFor(500 * time.Millisecond)
	w.Link(a, b).Cut() // only the answers
	b.StartMain("ask", ask(&fresh, "a:7", 1))
	w.RunFor(12 * time.Second)
	w.Link(a, b).Heal(w)
	w.RunFor(time.Minute)
	old.want(t, "1ms got x", "3.001s read: Connection timed out", "6.001s read: Connection timed out")
	fresh.want(t, "10.5s dial: Connection timed out")
}

func TestARebootedComputerDoesNotKnowOldConnections(t *testing.T) {
	w := newWorld(t, world.Options{})
	a, b := host(w, "a"), host(w, "b")
	a.Start("echo", nil)
	var d diary
	b.StartMain("ask", ask(&d, "a:7", 3))
	w.RunFor(500 * time.Millisecond)
	a.PowerOff()
	w.RunFor(100 * time.Millisecond)
	a.PowerOn()
	w.RunFor(time.Minute)
	d.want(t, "1ms got x", "1.002s read: Connection reset by peer", "2.002s write: Connection reset by peer")
}

func TestRefusedUnknownAndMissingPeersAreTold(t *testing.T) {
	w := newWorld(t, world.Options{})
	a := host(w, "a")
	var d diary
	a.StartMain("p", func(e env.Env, _ []string) int {
		for _, to := range [][2]string{{"tcp", "a:9"}, {"tcp", "nowhere:9"}, {"unix", "/run/x"}} {
			_, err := e.Net().Dial(e, to[0], to[1], e.Now().Add(time.Second))
			d.add(e, "%v", err)
		}
		return 0
	})
	w.RunFor(time.Second)
	d.want(t, "0s Connection refused", "0s nowhere: No such host", "0s dial unix /run/x: no such file or directory")
}

func TestRunWaitsForTheEndOrForTheBackground(t *testing.T) {
	programs := map[string]env.Main{
		"echo": echo,
		"slow": func(e env.Env, _ []string) int { e.Sleep(5 * time.Second); return 3 },
	}
	w := newWorld(t, world.Options{Programs: func(_ *world.Host, n string) env.Main { return programs[n] }})
	a := host(w, "a")
	var d diary
	a.StartMain("sh", func(e env.Env, _ []string) int {
		run := func(c env.Command, until env.Instant) {
			st, err := e.Host().Run(e, c, until)
			d.add(e, "%v %v", st, err)
		}
		run(env.Command{Args: []string{"/sbin/slow"}}, env.Never)
		run(env.Command{Args: []string{"echo"}}, env.Never) // goes to the background
		run(env.Command{Args: []string{"slow"}}, e.Now().Add(time.Second))
		run(env.Command{Shell: "nothing here"}, env.Never)
		return 0
	})
	w.RunFor(time.Minute)
	d.want(t, "5s 3 <nil>", "5s 0 <nil>", "6s 0 slow: Connection timed out", "6s 127 <nil>")
	if len(a.Find("echo")) != 1 || len(a.Find("slow")) != 0 {
		t.Error("the daemon must live on, the command that took too long must not")
	}
}

func TestStoppingAScopeWakesItsTasksAndWaitsForThem(t *testing.T) {
	w := newWorld(t, world.Options{})
	a := host(w, "a")
	var d diary
	a.StartMain("p", func(e env.Env, _ []string) int {
		inner, scope := e.Scope("inner")
		for i := range 2 {
			inner.Go("sleeper", func(e env.Env) error {
				err := e.Sleep(time.Hour)
				d.add(e, "sleeper %d: %v", i, err)
				return err
			})
		}
		in := env.NewInbox[int](e, 1)
		inner.Go("getter", func(e env.Env) error {
			_, err := in.Get(e, env.Never)
			d.add(e, "getter: %v", err)
			return err
		})
		e.Sleep(time.Second)
		scope.Stop()
		scope.Wait(e)
		d.add(e, "all done; inner sleeps: %v", inner.Sleep(1))
		return 0
	})
	w.RunFor(time.Minute)
	d.want(t, "1s sleeper 0: stopped", "1s sleeper 1: stopped", "1s getter: stopped", "1s all done; inner sleeps: stopped")
}

func TestAStoppedCallerStillWaitsForItsTasks(t *testing.T) {
	w := newWorld(t, world.Options{})
	a := host(w, "a")
	var d diary
	a.StartMain("p", func(e env.Env, _ []string) int {
		outer, scope := e.Scope("outer")
		outer.Go("caller", func(e env.Env) error {
			inner, kids := e.Scope("inner")
			inner.Go("slow to end", func(in env.Env) error {
				in.Sleep(time.Hour)
				d.add(in, "the task ends")
				return nil
			})
			e.Sleep(time.Hour)
			kids.Wait(e)
			d.add(e, "the caller goes on")
			return nil
		})
		e.Sleep(time.Second)
		scope.Stop()
		scope.Wait(e)
		return 0
	})
	w.RunFor(time.Minute)
	d.want(t, "1s the task ends", "1s the caller goes on")
}

func TestAWriterWaitsForASlowReader(t *testing.T) {
	w := newWorld(t, world.Options{})
	a, b := host(w, "a"), host(w, "b")
	var d diary
	a.StartMain("reader", func(e env.Env, _ []string) int {
		l, _ := e.Net().Listen(e, "tcp", "0.0.0.0:7")
		c, _ := l.Accept(e, env.Never)
		e.Sleep(30 * time.Second)
		p := make([]byte, 1<<20)
		total := 0
		for {
			n, err := c.Read(e, p, env.Never)
			total += n
			if err == io.EOF {
				d.add(e, "read %d", total)
				return 0
			}
		}
	})
	b.StartMain("writer", func(e env.Env, _ []string) int {
		c, err := e.Net().Dial(e, "tcp", "a:7", env.Never)
		if err != nil {
			return 1
		}
		p := make([]byte, 100<<10)
		for range 4 {
			_, err := c.Write(e, p, e.Now().Add(time.Minute))
			d.add(e, "wrote %v", err)
		}
		c.Close()
		return 0
	})
	w.RunFor(2 * time.Minute)
	d.want(t, "1ms wrote <nil>", "1ms wrote <nil>", "30s wrote <nil>", "30s wrote <nil>", "30.001s read 409600")
}

func TestPowerLossKeepsFilesAndEmptiesRun(t *testing.T) {
	w := newWorld(t, world.Options{})
	a := host(w, "a")
	a.StartMain("p", func(e env.Env, _ []string) int {
		e.Host().WriteFile("/etc/killpower", []byte("x"), 0o600)
		e.Host().WriteFile("/run/upsd.pid", []byte("1"), 0o600)
		return 0
	})
	w.RunFor(time.Second)
	a.PowerOff()
	a.PowerOn()
	_, kept := a.File("/etc/killpower")
	_, pid := a.File("/run/upsd.pid")
	if !kept || pid {
		t.Errorf("after the boot: /etc kept %v, /run kept %v; want true, false", kept, pid)
	}
}

func TestSameSeedSameEvents(t *testing.T) {
	run := func(seed uint64, shuffle bool) string {
		w := newWorld(t, world.Options{Seed: seed, Shuffle: shuffle})
		a := host(w, "a")
		a.Start("echo", nil)
		for i := range 20 {
			b := host(w, fmt.Sprint("b", i))
			b.StartMain("p", func(e env.Env, _ []string) int {
				e.Sleep(time.Duration(e.Rand().IntN(3)) * time.Second)
				var d diary
				ask(&d, "a:7", 1)(e, nil)
				e.Emit(env.Event{Kind: env.Mark, Value: strings.Join(d.lines, ";")})
				return 0
			})
		}
		w.RunFor(time.Minute)
		return fmt.Sprint(w.Trace())
	}
	for _, shuffle := range []bool{false, true} {
		first, again := run(1, shuffle), run(1, shuffle)
		if first != again {
			t.Errorf("shuffle=%v: the same seed gave two runs", shuffle)
		}
		if first == run(2, shuffle) {
			t.Errorf("shuffle=%v: two seeds gave the same run", shuffle)
		}
	}
}

func TestADeadProgramHasNoEffectWhileItIsUnwound(t *testing.T) {
	w := newWorld(t, world.Options{})
	a := host(w, "a")
	var err error
	a.StartMain("p", func(e env.Env, _ []string) int {
		defer func() {
			e.Emit(env.Event{Kind: env.Mark})
			err = e.Host().WriteFile("/etc/late", nil, 0o600)
		}()
		e.Sleep(time.Hour)
		return 0
	})
	w.RunFor(time.Second)
	a.PowerOff()
	w.RunFor(time.Second)
	if _, late := a.File("/etc/late"); late || len(w.Trace()) > 0 || !errors.Is(err, env.ErrStopped) {
		t.Errorf("file %v, %d events, error %v; want none, none, stopped", late, len(w.Trace()), err)
	}
}
