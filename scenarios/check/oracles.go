package check

// Oracles are all that a Judge asks, with what each of them holds.
var Oracles = []struct {
	ID    string
	Claim string
	New   func() Oracle
}{
	{"S01", "no host loses power while it is up or stopping", newCut},
	{"S02", "the load is not killed while others are logged in and HOSTSYNC runs", newKill},
	{"S04", "a host shuts down only in danger, or when the operator says so", newFounded},
	{"S05", "silence from a UPS last seen on line power is no emergency", newSilence},
	{"S08", "once FSD is set, every status served says so", newLatch},
	{"S10", "SHUTDOWNCMD runs once a boot", newOnce},
	{"S12", "old data are not served as if they were fresh", newFresh},
	{"S14", "SHUTDOWN is notified FINALDELAY before SHUTDOWNCMD", newNotice},
	{"S15", "POWERDOWNFLAG exists at SHUTDOWNCMD and not after the next start", newFlag},
	{"L01", "nobody stays off when the mains are back", newBack},
	{"L02", "OB LB that lasts brings the host down", newDown},
	{"L04", "secondaries follow an FSD", newFollow},
	{"L05", "the primary waits for secondaries no longer than HOSTSYNC", newWait},
	{"L06", "after repair every monitor is on line, connected and logged in", newRecovery},
}
