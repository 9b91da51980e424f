package driver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/service"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
)

// On the real machine tasks run at the same time; the race detector watches this test.
func TestManyClientsOnTheRealMachine(t *testing.T) {
	dir := t.TempDir()
	conf := "[office]\ndriver = toy-ups\nport = somewhere\npollinterval = 1\n"
	if err := os.WriteFile(filepath.Join(dir, "ups.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	clock := osenv.Clock{Scale: 100, Epoch: time.Now()} // a poll every 10 ms
	e, err := osenv.New(osenv.Options{Prog: "toy-ups", Clock: &clock, Emit: func(env.Event) {},
		Extra: []string{"NUT_CONFPATH=" + dir, "NUT_STATEPATH=" + dir, "NUT_ALTPIDPATH=" + dir,
			service.AccountVar + "=root"}})
	if err != nil {
		t.Fatal(err)
	}
	d := &toy{words: []string{"OL"}}
	exit := make(chan int)
	go func() {
		exit <- driver.Main([]driver.Spec{d.spec()}, nil, "toy-ups")(e, []string{"-a", "office", "-F"})
	}()
	path := dir + "/toy-ups-office"
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			c := dial(t, e, path)
			for j := range 50 {
				until := e.Now().Add(time.Hour)
				if _, _, err := c.Dump(e, until); err != nil {
					t.Error(err)
				}
				code, err := c.Set(e, "ups.id", fmt.Sprint(i, j), until)
				if err != nil || code != sockproto.Handled {
					t.Errorf("SET: result %d, %v", code, err)
				}
			}
			c.Close(e)
		})
	}
	wg.Wait()
	code, err := dial(t, e, path).Command(e, "driver.exit", e.Now().Add(time.Hour))
	if err != nil || code != sockproto.Handled {
		t.Errorf("driver.exit: result %d, %v", code, err)
	}
	if got := <-exit; got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
}

// dial connects as soon as the socket is there.
func dial(t *testing.T, e env.Env, path string) *remote.Conn {
	for end := time.Now().Add(10 * time.Second); ; {
		c, err := remote.Dial(e, path)
		if err == nil {
			return c
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}
