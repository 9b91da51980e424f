package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A measurement is one row of the table: what a server is given, and what is measured on it.
type measurement struct {
	name  string
	unit  string
	upses int
	more  bool // is better
	// measure returns the figure and, where it makes sense, the processor time of one request.
	measure func(s *server, d time.Duration) (figure float64, cpu time.Duration, err error)
}

const benchVars = 200

var getVar, listVar = "GET VAR ups0 ups.status\n", "LIST VAR ups0\n"

func measurements() []measurement {
	var list []measurement
	for _, n := range []int{1, 10, 100, 1000} {
		list = append(list, measurement{fmt.Sprintf("GET VAR, %d clients", n), "/s", 1, true,
			requests(n, getVar, "\n")})
	}
	for _, n := range []int{1, 10, 100} {
		list = append(list, measurement{fmt.Sprintf("LIST VAR, %d clients", n), "/s", 1, true,
			requests(n, listVar, "END LIST VAR ups0\n")})
	}
	for _, n := range []int{1, 100} {
		list = append(list, measurement{fmt.Sprintf("driver to client, %d UPS", n), "µs", n, false,
			propagation})
	}
	for _, n := range []int{1, 100} {
		list = append(list, measurement{fmt.Sprintf("memory, %d UPS", n), "MiB", n, false, memory})
	}
	return list
}

// requests measures replies a second.
func requests(clients int, request, end string,
) func(*server, time.Duration) (float64, time.Duration, error) {
	return func(s *server, d time.Duration) (float64, time.Duration, error) {
		p, err := newPoller(s, clients, request, end)
		if err != nil {
			return 0, 0, err
		}
		defer p.close()
		if _, _, err := p.run(d / 5); err != nil { // to warm up
			return 0, 0, err
		}
		before := s.cpu()
		n, took, err := p.run(d)
		if err != nil {
			return 0, 0, err
		}
		return float64(n) / took.Seconds(), (s.cpu() - before) / time.Duration(n), nil
	}
}

// propagation measures the median time from a driver's SETINFO to the first reply that has the new
// value, for a client that asks without pause, while every other driver changes a value each
// 100 ms.
func propagation(s *server, d time.Duration) (float64, time.Duration, error) {
	c, err := s.dial()
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(d + startLimit))
	done := make(chan struct{})
	defer close(done)
	go func() {
		for i := 0; ; i++ {
			for _, other := range s.drivers[1:] {
				other.set(tick, strconv.Itoa(i))
			}
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	var delays []time.Duration
	in := bufio.NewReader(c)
	for i, begin := 1, time.Now(); time.Since(begin) < d; i++ {
		want := fmt.Sprintf("%q\n", strconv.Itoa(i))
		sent := time.Now()
		s.drivers[0].set(tick, strconv.Itoa(i))
		for reply := ""; !strings.HasSuffix(reply, want); {
			io.WriteString(c, "GET VAR ups0 "+tick+"\n")
			if reply, err = in.ReadString('\n'); err != nil {
				return 0, 0, err
			}
		}
		delays = append(delays, time.Since(sent))
		time.Sleep(time.Millisecond)
	}
	return float64(quantile(delays, 0.5)) / float64(time.Microsecond), 0, nil
}

// memory is what the server holds after each of its UPSes was listed once.
func memory(s *server, _ time.Duration) (float64, time.Duration, error) {
	c, err := s.dial()
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	for i := range s.drivers {
		fmt.Fprintf(c, "LIST VAR %s\n", upsName(i))
	}
	io.WriteString(c, "LOGOUT\n")
	if _, err := io.Copy(io.Discard, c); err != nil {
		return 0, 0, err
	}
	now, _ := s.memory()
	return float64(now) / (1 << 20), 0, nil
}

// quantile returns the value below which q of all are. The values are sorted by it.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// benchAll measures everything on every server, in turns, and prints medians.
func benchAll(ctx context.Context, kits []kit, o options) error {
	if o.time == 0 {
		o.time = time.Second
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	fmt.Fprintf(w, "median of %d\tunit\t", o.rounds)
	for _, k := range kits {
		fmt.Fprintf(w, "%s\tmin..max\tcpu\t", k.name)
	}
	fmt.Fprintln(w, "ratio\t")
	for _, m := range measurements() {
		if !strings.Contains(m.name, o.only) {
			continue
		}
		if err := benchOne(ctx, w, kits, m, o); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func benchOne(ctx context.Context, w io.Writer, kits []kit, m measurement, o options) error {
	figures, cpus := make([][]float64, len(kits)), make([][]float64, len(kits))
	for range o.rounds {
		for i, k := range kits {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			figure, cpu, err := measureOnce(k, m, o.time)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			figures[i], cpus[i] = append(figures[i], figure), append(cpus[i], float64(cpu)/1e3)
		}
	}
	fmt.Fprintf(w, "%s\t%s\t", m.name, m.unit)
	for i := range kits {
		mid := median(figures[i])
		fmt.Fprintf(w, "%.*f\t%.*f..%.*f\t", places(mid), mid, places(mid), figures[i][0],
			places(mid), figures[i][len(figures[i])-1])
		if cpu := median(cpus[i]); cpu > 0 {
			fmt.Fprintf(w, "%.1f µs", cpu)
		}
		fmt.Fprint(w, "\t")
	}
	if len(kits) > 1 {
		ratio := median(figures[0]) / median(figures[1])
		word := "ahead"
		if (ratio > 1) != m.more {
			word = "behind"
		}
		fmt.Fprintf(w, "%.2f %s\t", ratio, word)
	}
	fmt.Fprintln(w)
	return nil
}

func places(f float64) int {
	if f < 100 {
		return 1
	}
	return 0
}

func measureOnce(k kit, m measurement, d time.Duration) (float64, time.Duration, error) {
	s, err := startServer(k, setup{upses: m.upses, vars: benchVars, pin: true})
	if err != nil {
		return 0, 0, err
	}
	defer s.stop()
	return m.measure(s, d)
}
