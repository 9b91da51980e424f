// Command load puts one upsd after the other under the same load and prints the figures side by
// side: ours, built on the spot, and Debian's where it is installed.
//
//	go run ./scenarios/interop/load bench           # requests a second, delays, memory
//	go run ./scenarios/interop/load attack          # hostile clients, beside one that only polls
//	go run ./scenarios/interop/load -upsd ours=bin/upsd,old=/tmp/upsd bench
//
// Each server runs on a loopback address, in folders of its own, in the foreground, and is ended
// with the program. Its drivers are played by this process, on the sockets where upsd looks for
// them. No other address is ever dialled: the attacks are for one's own server.
//
// # How it measures
//
// One thread with epoll asks on all connections, a new request as soon as the last reply has come,
// so that the generator costs less than either server. The server has one processor to itself and
// the generator another, where there are two. Servers take turns, and the table shows the median of
// the rounds; "cpu" is what the server itself spent on a request, which other load on the machine
// disturbs least.
//
// Everything is bounded, in count and in time. With both servers `make versus` takes some five
// minutes and `make attack` some eight; a server that an assault brings to a stand is given up
// soon.
package main
