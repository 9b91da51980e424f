// Telegraf runs telegraf's upsd input once, as its agent does, and prints its fields and tags, one
// a line with tabs between the words. Arguments: port, user, password.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/inputs/upsd"
)

func main() {
	port, _ := strconv.Atoi(os.Args[1])
	in := &upsd.Upsd{Server: "127.0.0.1", Port: port, Username: os.Args[2], Password: os.Args[3],
		Additional: []string{"ups.alarm", "ups.model", "ups.beeper.status"}, Log: quiet{}}
	if err := in.Init(); err != nil {
		fmt.Printf("error\tinit\t%v\n", err)
	}
	for range 2 {
		if err := in.Gather(printer{}); err != nil {
			fmt.Printf("error\tgather\t%v\n", err)
		}
	}
}

// printer is an accumulator that prints. The plugin calls two of its methods.
type printer struct{ telegraf.Accumulator }

func (printer) AddFields(_ string, fields map[string]any, tags map[string]string, _ ...time.Time) {
	ups := tags["ups_name"]
	for name, value := range fields {
		fmt.Printf("field\t%s\t%s\t%v\n", ups, name, value)
	}
	for name, value := range tags {
		fmt.Printf("tag\t%s\t%s\t%s\n", ups, name, value)
	}
}

func (printer) AddError(err error) { fmt.Printf("error\taccumulator\t%v\n", err) }

// quiet is a log that nobody reads.
type quiet struct{ telegraf.Logger }

func (quiet) Level() telegraf.LogLevel  { return telegraf.Error }
func (quiet) Warnf(f string, a ...any)  { fmt.Printf("error\tlog\t"+f+"\n", a...) }
func (quiet) Tracef(f string, a ...any) {}
