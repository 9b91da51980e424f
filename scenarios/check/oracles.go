package check

// Oracles are all that a Judge asks, with what each of them holds.
var Oracles = []struct {
	ID    string
	Claim string
	New   func() Oracle
}{
	{"S01", "no host loses power while it is up or stopping", newCut},
	{"S02", "the load is not killed while others are logged in and HOSTSYNC runs", newKill},
	{"S03", "only a primary with its POWERDOWNFLAG switches the load off", newKiller},
	{"S04", "a host shuts down only in danger, or when the operator says so", newFounded},
	{"S05", "silence from a UPS last seen on line power is no emergency", newSilence},
	{"S06", "a UPS that was never heard is no emergency", newUnheard},
	{"S07", "a calibration that runs the battery low is no emergency", newCalibration},
	{"S08", "once FSD is set, every status served says so", newLatch},
	{"S09", "FSD is set only on a known UPS, by a user who may", newRights},
	{"S10", "SHUTDOWNCMD runs once a boot", newOnce},
	{"S11", "a host whose power is fine and known to be is not stopped", newRedundancy},
	{"S12", "old data are not served as if they were fresh", newFresh},
	{"S13", "each notification is true and is given once", newTruth},
	{"S14", "SHUTDOWN is notified FINALDELAY before SHUTDOWNCMD", newNotice},
	{"S15", "POWERDOWNFLAG exists at SHUTDOWNCMD and not after the next start", newFlag},
	{"S16", "a UPS gets no command that nobody asked for", newUnasked},
	{"S17", "a command that is reported as done was done, and once", newEffect},
	{"S18", "logins are counted as clients log in and out", newLogins},
	{"S19", "a client or driver that hangs delays nobody else", newIsolation},
	{"S20", "SHUTDOWNCMD runs with privilege, NOTIFYCMD and drivers without", newPrivilege},
	{"S21", "programs stay within their bounds", newBounds},
	{"S22", "no password is told", newSecrets},
	{"L01", "nobody stays off when the mains are back", newBack},
	{"L02", "OB LB that lasts brings the host down", newDown},
	{"L03", "silence on battery for DEADTIME is taken for an empty battery", newDead},
	{"L04", "secondaries follow an FSD", newFollow},
	{"L05", "the primary waits for secondaries no longer than HOSTSYNC", newWait},
	{"L06", "after repair every monitor is on line, connected and logged in", newRecovery},
	{"L07", "a driver whose device is back has fresh data", newDriver},
	{"L08", "time goes on", newProgress},
}

// Reasons are the named excuses: why a violation may be nobody's fault, as far as events tell. Each
// one that was needed is in the report, counted.
var Reasons = []struct{ Name, Meaning string }{
	{NoTime, "the battery was empty before a shutdown could have been over"},
	{Partitioned, "no word of the FSD could reach the host, from before it was set until too late"},
	{Config, "the declared numbers cannot work: a host stops slower than others wait for it, or boots " +
		"before its UPS has cut, or before the second of two has"},
	{Wedged, "a script froze or killed the host's monitor when it would have acted"},
	{Unseen, "a UPS that is silent and was last on line power, or was never heard, counts as good"},
	{Race, "the host booted when the others were shutting down already, and before the kill"},
	{Interrupted, "a person rebooted the host while it was shutting down for the power"},
	{Uncounted, "upsd had no data of the UPS, and so no count of its clients for the primary"},
	{Late, "a client logged in when FSD was set already, after the primary had counted"},
	{NoFallback, "a halted host without a fallback keeps its power, and nobody could have its UPS cycle it"},
	{LastState, "the firmware of a halted host keeps it off when the power returns"},
}
