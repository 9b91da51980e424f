package upsd

import "fmt"

// Messages about a start that fails. Scripts and operators look for their first words, so they are
// spelt as they always were.
const (
	cannotOpen     = "Can't open %s: %s"
	cannotChdir    = "Can't chdir to %s: %s"
	alreadyRunning = "Fatal error: A previous upsd instance is already running! " +
		"Process %d, by %s; stop it with upsd -c stop"
	noDevice = "Fatal error: at least one UPS must be defined in ups.conf; " +
		"to serve none, say ALLOW_NO_DEVICE true in upsd.conf"
	noListener   = "no listening interface available"
	notAllListen = "Fatal error: some listening interfaces were not available; " +
		"mend LISTEN in upsd.conf, or say ALLOW_NOT_ALL_LISTENERS true there"
	goingOnWithout = "some listening interfaces were not available; " +
		"going on because of ALLOW_NOT_ALL_LISTENERS"
	removedFlags = "Specifying an address with -i or a port with -p is no longer served: " +
		"use LISTEN in upsd.conf"
	tlsUnusable = "SSL configuration was specified, but NUT server failed to initialize it: %v"
	weakSSL     = "Warning: DISABLE_WEAK_SSL is not enabled: clients may use TLS 1.0 and 1.1, " +
		"which are broken. Say DISABLE_WEAK_SSL true in upsd.conf unless an old client needs them"
	noCertFile = "want CERTFILE in upsd.conf, a PEM file with the server's certificate, " +
		"those of its issuers, and its key"
	noClientCA = "CERTREQUEST wants CERTPATH too, a PEM file or folder with the CAs of the " +
		"clients' certificates"
	// nssServer wants the database, why not, the commands and the file that they make.
	nssServer = "CERTPATH %s: %w. Export its certificate and say so: %s; " +
		"then CERTFILE %s in upsd.conf, instead of CERTPATH and CERTIDENT"
	exported   = "/etc/nut/upsd.pem"
	exportedCA = "/etc/nut/clients-ca.pem"
	noConn     = "You requested %d as maximum number of connections: " +
		"want MAXCONN in upsd.conf from 1 to %d"
	tooManyConn = "Your system limits the maximum number of connections to %d but you requested " +
		"%d: want MAXCONN in upsd.conf up to %d, or a higher limit on open files (ulimit -n, LimitNOFILE)"
	notSignalled = "Failed to signal the currently running daemon (if any): "
	useManager   = "Try 'systemctl <command> nut-server.service' if a service manager runs upsd"
)

// A complaint is an error whose text goes to people as it stands.
type complaint string

func (c complaint) Error() string { return string(c) }

func complaintf(format string, args ...any) error {
	return complaint(fmt.Sprintf(format, args...))
}
