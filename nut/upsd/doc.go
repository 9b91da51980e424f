// Package upsd is the server that clients ask: it connects to the socket of every driver that
// ups.conf names, keeps a copy of what they say, and answers on TCP port 3493.
//
// # Who runs
//
//   - a session per client connection: reads requests, answers them, one write per reply;
//   - a link per UPS: holds the connection to its driver, judges whether its data is fresh;
//   - the main task: signals, reloading, the end.
//
// All of them meet in the tables of one [server], behind one mutex, which is held only while memory
// is read or written. What must be said aloud in consequence (log lines, events) is noted under
// the lock and told after it, in the order in which it was noted.
//
// # Where to look
//
// The words of the protocol are in requests.go, get.go, list.go and set.go; each request is a
// function from words to reply lines and touches nothing but memory. Freshness is ups.tick. Rows
// NP-, DS- and UD- in comments and tests are rows of the protocol notes that this server was
// measured against.
//
// # Better than the C server, on purpose
//
//   - a client that sends nothing or reads nothing delays nobody;
//   - a request with bad quoting gets one ERR INVALID-ARGUMENT, and no other one loses its reply;
//   - the words behind INSTCMD and its command are one value: nothing runs without its value;
//   - a driver that reconnects must say again that its data is good;
//   - a directive taken out of upsd.conf is back at its default after a reload;
//   - a stale PID file never stops a start, not even when another program has its number now.
//
// # What is missing
//
// TLS: STARTTLS is answered with FEATURE-NOT-CONFIGURED. A session talks through an env.Conn, which
// is where the handshake will put an encrypted one, within the session's own task.
package upsd
