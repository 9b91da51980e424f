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
//   - a client that sends nothing or reads nothing delays nobody, and one beyond MAXCONN is sent
//     away at once instead of being left to hang;
//   - lines are up to 16 KiB, and what is longer is refused, not cut;
//   - wrong passwords wait, longer when many come from one address, and right ones never do;
//   - mistakes of clients are 10 lines of log a client at most, and 60 a minute for all;
//   - FSD is a lease (lease.go): it ends on line power when the primary that set it has come back, or
//     has been gone for FSDLEASE, so that hosts which boot meanwhile do not shut down again;
//   - a request with bad quoting gets one ERR INVALID-ARGUMENT, and no other one loses its reply;
//   - the words behind INSTCMD and its command are one value: nothing runs without its value;
//   - a driver that reconnects must say again that its data is good;
//   - a reload of a file with new errors keeps what the file had said before;
//   - a directive taken out of upsd.conf is back at its default after a reload;
//   - a handshake of TLS is the session's own business: one that never ends is dropped after 10 s,
//     and nobody else has noticed;
//   - what is sent in clear behind STARTTLS ends the session instead of being obeyed;
//   - certificates are read again on reload, and the old ones stay when the new ones are no good;
//   - a stale PID file never stops a start, not even when another program has its number now.
//
// # TLS
//
// CERTFILE names a PEM file, as in NUT's builds with OpenSSL. A configuration for its builds with
// NSS, such as Debian's, names a database that cannot be read here. Then upsd does not start, as
// with every other TLS that was asked for and cannot be had, and says with which commands to export
// the certificate. Serving in clear would be worse than not serving: clients try TLS and go on
// without it, so that nobody would notice that the passwords of upsd.users, which can shut down
// every host, travel in clear. Who replaces the C server sees the message at once, and upsd -t
// shows it before.
package upsd
