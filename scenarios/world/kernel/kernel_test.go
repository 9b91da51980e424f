package kernel

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestEventsRunInTimeOrderAndEqualTimesInOrderOfScheduling(t *testing.T) {
	k := New(nil)
	defer k.Close()
	var got []string
	say := func(s string) func() { return func() { got = append(got, fmt.Sprint(k.Now(), s)) } }
	k.At(20, say("c"))
	k.At(10, say("a"))
	k.At(20, say("d"))
	k.At(10, func() { k.At(10, say("b2")); got = append(got, "10b1") })
	if err := k.Run(100); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(got, " "); s != "10a 10b1 10b2 20c 20d" {
		t.Errorf("order = %s", s)
	}
	if k.Now() != 100 {
		t.Errorf("Now = %d after Run(100)", k.Now())
	}
}

func TestParkEndsByWakeOrByDeadlineWhicheverIsFirst(t *testing.T) {
	k := New(nil)
	defer k.Close()
	var log []string
	sleeper := k.Spawn("sleeper", nil, func(t *Task) {
		for range 3 {
			r := t.Park(k.Now() + 50)
			log = append(log, fmt.Sprint(k.Now(), "/", r))
		}
	})
	k.Spawn("waker", nil, func(t *Task) {
		t.Park(10)
		sleeper.Wake() // at 10: long before its deadline 50
		t.Park(70)
		sleeper.Wake() // at 70: in the middle of its third wait
	})
	if err := k.Run(1000); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(log, " "); s != "10/0 60/1 70/0" {
		t.Errorf("wakes = %s, want by Wake at 10, by deadline at 60, by Wake at 70", s)
	}
}

func TestFrozenTasksRunWhatWasDueWhenThawed(t *testing.T) {
	k := New(nil)
	defer k.Close()
	var g Group
	var ran []Time
	k.Spawn("ticker", &g, func(t *Task) {
		for {
			t.Park(k.Now() + 10)
			ran = append(ran, k.Now())
		}
	})
	k.At(15, g.Freeze)
	k.At(95, g.Thaw)
	k.Run(110)
	if s := fmt.Sprint(ran); s != "[10 95 105]" {
		t.Errorf("ran at %s", s)
	}
}

func TestCloseUnwindsEveryTaskAndRunsItsDeferredCode(t *testing.T) {
	k := New(nil)
	var g Group
	unwoundTasks := 0
	for i := range 100 {
		k.Spawn("t", &g, func(t *Task) {
			defer func() { unwoundTasks++ }()
			t.Park(Never)
			_ = i
		})
	}
	k.Run(5)
	g.Freeze()
	k.Spawn("never started", &g, func(*Task) { panic("ran") })
	if left := k.Close(); left != 0 || unwoundTasks != 100 {
		t.Errorf("left %d, unwound %d; want 0, 100", left, unwoundTasks)
	}
}

func TestAPanicNamesTaskAndTime(t *testing.T) {
	k := New(nil)
	defer k.Close()
	k.Spawn("upsd on alpha", nil, func(t *Task) { t.Park(7e9); panic("boom") })
	err := k.Run(10e9)
	if err == nil || !strings.Contains(err.Error(), "at 7s: task upsd on alpha: panic: boom") {
		t.Errorf("err = %v", err)
	}
}

func TestWaitingInAnothersNameIsCaught(t *testing.T) {
	k := New(nil)
	defer k.Close()
	a := k.Spawn("a", nil, func(t *Task) { t.Park(Never) })
	k.Spawn("b", nil, func(*Task) { a.Park(5) })
	if err := k.Run(10); err == nil || !strings.Contains(err.Error(), "handed to another task") {
		t.Errorf("err = %v", err)
	}
}

func TestAWorldThatSpinsInOneInstantFails(t *testing.T) {
	k := New(nil)
	defer k.Close()
	var spin func()
	spin = func() { k.At(k.Now(), spin) }
	spin()
	if err := k.Run(time.Second.Nanoseconds()); err == nil || !strings.Contains(err.Error(), "one instant") {
		t.Errorf("err = %v", err)
	}
}

func TestShuffleKeepsTimeOrderAndReplaysBySeed(t *testing.T) {
	run := func(seed uint64) string {
		k := New(rand.New(rand.NewPCG(seed, 1)))
		defer k.Close()
		var got []string
		for i := range 6 {
			k.At(Time(10*(i/3)), func() { got = append(got, fmt.Sprint(i)) })
		}
		k.Run(100)
		return strings.Join(got, "")
	}
	orders := map[string]bool{}
	for seed := range uint64(20) {
		a := run(seed)
		if a != run(seed) {
			t.Errorf("seed %d: two orders", seed)
		}
		if strings.ContainsAny(a[:3], "345") {
			t.Errorf("seed %d: %s is out of time order", seed, a)
		}
		orders[a] = true
	}
	if len(orders) < 5 {
		t.Errorf("20 seeds gave only %d orders", len(orders))
	}
}

func BenchmarkSwitch(b *testing.B) {
	k := New(nil)
	defer k.Close()
	k.Spawn("t", nil, func(t *Task) {
		for {
			t.Park(k.Now() + 1)
		}
	})
	for b.Loop() {
		k.Run(k.Now() + 1)
	}
}

func BenchmarkThousandSleepers(b *testing.B) {
	k := New(nil)
	defer k.Close()
	for i := range 1000 {
		k.Spawn("t", nil, func(t *Task) {
			for {
				t.Park(k.Now() + 1000 + Time(i))
			}
		})
	}
	for b.Loop() {
		k.RunUntil(k.Now()+1, nil)
	}
}

func TestADeadlineInThePastEndsTheWaitAtOnce(t *testing.T) {
	k := New(nil)
	defer k.Close()
	var ended Time = -1
	k.Spawn("late", nil, func(t *Task) {
		t.Park(50)
		t.Park(10)
		ended = k.Now()
	})
	k.Run(100)
	if ended != 50 {
		t.Errorf("ended at %d, want 50", ended)
	}
}

func TestCloseUnwindsAWorldThatSpun(t *testing.T) {
	k := New(nil)
	k.Spawn("sleeper", nil, func(t *Task) { t.Park(Never) })
	k.Spawn("spinner", nil, func(t *Task) {
		for {
			t.Park(0)
		}
	})
	if err := k.Run(1000); err == nil {
		t.Error("the spin was not found out")
	}
	if n := k.Close(); n > 0 {
		t.Errorf("%d tasks were not unwound", n)
	}
}

func TestCloseEndsTheWatchdog(t *testing.T) {
	k := New(nil)
	closed, ended := k.leash, make(chan struct{})
	go func() {
		k.watch(closed)
		close(ended)
	}()
	k.Close()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		t.Error("it still watches a closed world")
	}
	k.Close() // once more harms nothing
}
