// Package client is the client's side of the conversation with upsd: connecting, logging in, asking
// and telling. The words on the wire are package netproto's.
//
//	c, err := client.Dial(e, "nas", netproto.Port, client.Options{}, e.Now().Add(client.ConnectTime))
//	status, err := c.Var(e, e.Now().Add(client.AnswerTime), "rack", "ups.status")
//
// # Errors
//
// What the server refuses is a [netproto.Err]. What goes wrong on the way to it is an [Error],
// whose text begins with the words that NUT's tools print for it and that scripts look for. After
// an Error the connection is of no use: close it. After a netproto.Err it is as good as before.
//
// # Limits
//
// A Conn is for one task at a time. Every call has a deadline; a reply line is at most [MaxLine]
// bytes, a list at most [MaxRows] rows and [MaxList] bytes. A server that sends more, or says
// something else than was asked for, is an Error.
//
// # TLS
//
// Dial says STARTTLS to every server, as NUT's clients do; [Options] say what becomes of one that
// has no TLS, or whose certificate nobody vouches for. A handshake that fails is an error, never a
// reason to go on in clear. Files are PEM; those of a daemon are read once, by [Options.Load].
package client
