// Netdata runs netdata's upsd collector twice, as its agent does, and prints what it collected, one
// metric a line with tabs between the words. Arguments: port, user, password.
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/netdata/go.d.plugin/modules/upsd"
)

func main() {
	u := upsd.New()
	u.Address = net.JoinHostPort("127.0.0.1", os.Args[1])
	u.Username, u.Password = os.Args[2], os.Args[3]
	fmt.Printf("did\tinit\t%v\n", u.Init())
	fmt.Printf("did\tcheck\t%v\n", u.Check())
	for name, value := range u.Collect() {
		fmt.Printf("metric\t%s\t%d\n", name, value)
	}
	fmt.Printf("did\tcharts\t%d\n", len(*u.Charts()))
	for _, chart := range *u.Charts() {
		for _, l := range chart.Labels {
			fmt.Printf("label\t%s\t%s\t%s\n", chart.Labels[0].Value, l.Key, l.Value)
		}
	}
	u.Cleanup()
}
