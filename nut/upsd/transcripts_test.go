package upsd

// transcripts are conversations measured on NUT's own server; the ids are rows of the protocol
// notes. fake has a fresh driver, ghost none, old a stale one.
var transcripts = []struct{ name, text string }{
	{"constants (NP-C1 to NP-C4)", `
		C: VER
		S: Network UPS Tools upsd 2.8.5 - https://www.networkupstools.org/
		C: VER x
		S: ERR INVALID-ARGUMENT
		C: NETVER
		S: 1.3
		C: protver
		S: 1.3
		C: PROTVER x
		S: ERR INVALID-ARGUMENT
		C: HELP
		S: Commands: HELP VER PROTVER GET LIST SET INSTCMD LOGIN LOGOUT USERNAME PASSWORD STARTTLS
		C: HELP me
		S: ERR INVALID-ARGUMENT
		C: STARTTLS
		S: ERR FEATURE-NOT-CONFIGURED
		C: STARTTLS now
		S: ERR FEATURE-NOT-CONFIGURED`},
	{"a plain connection without rights (NP section 11)", `
		C: GET VAR ghost ups.status
		S: ERR DRIVER-NOT-CONNECTED
		C: GET VAR nosuch ups.status
		S: ERR UNKNOWN-UPS
		C: GET VAR fake nosuch
		S: ERR VAR-NOT-SUPPORTED
		C: GET
		S: ERR INVALID-ARGUMENT
		C: LIST FOO fake
		S: ERR INVALID-ARGUMENT
		C: FOO
		S: ERR UNKNOWN-COMMAND
		C: SET VAR fake battery.charge 5
		S: ERR USERNAME-REQUIRED
		C: USERNAME admin
		S: OK
		C: USERNAME admin
		S: ERR ALREADY-SET-USERNAME
		C: LOGIN fake
		S: ERR PASSWORD-REQUIRED
		C: PASSWORD adm
		S: OK
		C: LOGIN fake
		S: ERR ACCESS-DENIED
		C: FSD fake
		S: OK FSD-SET
		C: GET VAR fake ups.status
		S: VAR fake ups.status "FSD OL"
		C: SET TRACKING ON
		S: OK
		C: GET TRACKING 123
		S: ERR UNKNOWN
		C: LOGOUT
		S: OK Goodbye`},
	{"SET checks (NP section 6)", `
		C: USERNAME admin
		S: OK
		C: PASSWORD adm
		S: OK
		C: SET VAR fake ups.id "123456789"
		S: ERR TOO-LONG
		C: SET VAR fake input.transfer.low 101
		S: ERR INVALID-VALUE
		C: SET VAR fake battery.charge.low 40
		S: ERR INVALID-VALUE
		C: SET VAR fake battery.charge.low 25.7abc
		S: OK
		C: SET VAR fake ups.status OB
		S: ERR READONLY
		C: SET VAR fake noaux.string b
		S: ERR SET-FAILED
		C: SET VAR fake ups.id
		S: ERR INVALID-ARGUMENT
		C: SET VAR fake ups.id 12345678
		S: OK
		C: SET VAR fake ups.id ""
		S: OK
		C: SET VAR fake ups.id a surplus words
		S: OK
		C: SET VAR fake nosuch 1
		S: ERR VAR-NOT-SUPPORTED
		C: SET VAR ghost nosuch 1
		S: ERR DRIVER-NOT-CONNECTED
		C: SET VAR old nosuch 1
		S: ERR DATA-STALE
		C: SET VAR nosuch nosuch 1
		S: ERR UNKNOWN-UPS
		C: SET
		S: ERR INVALID-ARGUMENT
		C: SET FOO fake x y
		S: ERR INVALID-ARGUMENT
		C: LIST RANGE fake battery.charge.low
		S: BEGIN LIST RANGE fake battery.charge.low
		S: RANGE fake battery.charge.low "10" "30"
		S: RANGE fake battery.charge.low "50" "60"
		S: END LIST RANGE fake battery.charge.low
		C: LIST ENUM fake Input.Transfer.Low
		S: BEGIN LIST ENUM fake Input.Transfer.Low
		S: ENUM fake Input.Transfer.Low "103"
		S: ENUM fake Input.Transfer.Low "100"
		S: ENUM fake Input.Transfer.Low "97"
		S: END LIST ENUM fake Input.Transfer.Low`},
	{"a user without SET learns no more than that (NP-C27)", `
		C: USERNAME p
		S: OK
		C: PASSWORD p
		S: OK
		C: SET VAR fake nosuch 1
		S: ERR ACCESS-DENIED
		C: SET VAR fake ups.status OB
		S: ERR ACCESS-DENIED
		C: SET TRACKING ON
		S: OK`},
	{"a normal upsmon primary (NP section 11)", `
		C: STARTTLS
		S: ERR FEATURE-NOT-CONFIGURED
		C: USERNAME p
		S: OK
		C: PASSWORD p
		S: OK
		C: LOGIN fake
		S: OK
		C: PRIMARY fake
		S: OK PRIMARY-GRANTED
		C: GET VAR fake ups.status
		S: VAR fake ups.status "OL"
		C: FSD fake
		S: OK FSD-SET
		C: GET NUMLOGINS fake
		S: NUMLOGINS fake 1
		C: LOGOUT now
		S: ERR INVALID-ARGUMENT
		C: LOGOUT
		S: OK Goodbye`},
	{"a secondary may log in and no more", `
		C: LOGIN fake
		S: ERR USERNAME-REQUIRED
		C: USERNAME s
		S: OK
		C: LOGIN
		S: ERR PASSWORD-REQUIRED
		C: PASSWORD s
		S: OK
		C: LOGIN
		S: ERR INVALID-ARGUMENT
		C: LOGIN nosuch
		S: ERR UNKNOWN-UPS
		C: LOGIN fake x
		S: ERR INVALID-ARGUMENT
		C: LOGIN FAKE
		S: OK
		C: LOGIN nosuch
		S: ERR ALREADY-LOGGED-IN
		C: PRIMARY fake
		S: ERR ACCESS-DENIED
		C: MASTER fake
		S: ERR ACCESS-DENIED
		C: FSD fake
		S: ERR ACCESS-DENIED
		C: FSD
		S: ERR INVALID-ARGUMENT
		C: FSD nosuch
		S: ERR UNKNOWN-UPS
		C: INSTCMD fake load.off
		S: ERR ACCESS-DENIED`},
	{"MASTER is still served (NP-C9)", `
		C: USERNAME p
		S: OK
		C: PASSWORD p
		S: OK
		C: MASTER fake
		S: OK MASTER-GRANTED
		C: PRIMARY nosuch
		S: ERR UNKNOWN-UPS`},
	{"a shutdown does not depend on the driver (NP-C7, NP-C8, NP-C10, NP-C26)", `
		C: USERNAME p
		S: OK
		C: PASSWORD p
		S: OK
		C: LOGIN ghost
		S: OK
		C: PRIMARY old
		S: OK PRIMARY-GRANTED
		C: FSD old
		S: OK FSD-SET
		C: FSD ghost
		S: OK FSD-SET
		C: LIST CLIENT ghost
		S: BEGIN LIST CLIENT ghost
		S: CLIENT ghost 127.0.0.1
		S: END LIST CLIENT ghost
		C: GET NUMLOGINS ghost
		S: ERR DRIVER-NOT-CONNECTED
		C: GET VAR old ups.status
		S: ERR DATA-STALE`},
	{"INSTCMD (NP-C29)", `
		C: INSTCMD
		S: ERR USERNAME-REQUIRED
		C: USERNAME operator
		S: OK
		C: INSTCMD fake load.off
		S: ERR PASSWORD-REQUIRED
		C: PASSWORD op
		S: OK
		C: INSTCMD fake
		S: ERR INVALID-ARGUMENT
		C: INSTCMD nosuch load.on
		S: ERR UNKNOWN-UPS
		C: INSTCMD ghost load.on
		S: ERR DRIVER-NOT-CONNECTED
		C: INSTCMD old load.on
		S: ERR DATA-STALE
		C: INSTCMD fake nosuch
		S: ERR CMD-NOT-SUPPORTED
		C: INSTCMD fake test.battery.start
		S: ERR CMD-NOT-SUPPORTED
		C: INSTCMD fake load.off
		S: ERR ACCESS-DENIED
		C: INSTCMD fake load.on
		S: OK
		C: INSTCMD fake load.on 30
		S: OK
		C: INSTCMD fake load.on 30 seconds
		S: OK`},
	{"GET in the order of its checks", `
		C: GET VAR
		S: ERR INVALID-ARGUMENT
		C: GET VAR fake
		S: ERR INVALID-ARGUMENT
		C: GET VAR nosuch
		S: ERR INVALID-ARGUMENT
		C: GET FOO fake x
		S: ERR INVALID-ARGUMENT
		C: GET VAR old nosuch
		S: ERR DATA-STALE
		C: GET VAR fake ups.status surplus
		S: VAR fake ups.status "OL"
		C: GET VAR fake ups.mfr
		S: VAR fake ups.mfr "Quo\"te \\ back \# hash"
		C: GET UPSDESC fake
		S: UPSDESC fake "Lab UPS one"
		C: GET UPSDESC ghost
		S: UPSDESC ghost "Unavailable"
		C: GET UPSDESC nosuch
		S: ERR UNKNOWN-UPS
		C: GET UPSDESC
		S: ERR INVALID-ARGUMENT
		C: GET NUMLOGINS fake
		S: NUMLOGINS fake 0
		C: GET NUMLOGINS old
		S: ERR DATA-STALE
		C: GET NUMLOGINS nosuch
		S: ERR UNKNOWN-UPS`},
	{"types (NP section 5)", `
		C: GET TYPE fake ups.status
		S: TYPE fake ups.status NUMBER
		C: GET TYPE fake input.transfer.low
		S: TYPE fake input.transfer.low RW ENUM NUMBER
		C: GET TYPE fake battery.charge.low
		S: TYPE fake battery.charge.low RW RANGE NUMBER
		C: GET TYPE fake ups.id
		S: TYPE fake ups.id RW STRING:8
		C: GET TYPE fake nosuch
		S: ERR VAR-NOT-SUPPORTED
		C: GET TYPE ghost nosuch
		S: ERR DRIVER-NOT-CONNECTED`},
	{"descriptions (NP-C14, NP-C15)", `
		C: GET DESC fake no.such.variable
		S: DESC fake no.such.variable "Description unavailable"
		C: GET CMDDESC fake no.such.command
		S: CMDDESC fake no.such.command "Description unavailable"
		C: GET DESC ghost ups.status
		S: ERR DRIVER-NOT-CONNECTED
		C: GET CMDDESC old load.off
		S: ERR DATA-STALE
		C: GET DESC fake
		S: ERR INVALID-ARGUMENT
		C: GET DESC nosuch x
		S: ERR UNKNOWN-UPS`},
	{"upsd's own variables do not look at the UPS", `
		C: GET VAR anything server.info
		S: VAR anything server.info "Network UPS Tools upsd 2.8.5 - https://www.networkupstools.org/"
		C: GET VAR ghost Server.Version
		S: VAR ghost server.version "2.8.5"
		C: GET VAR fake server.foo
		S: ERR VAR-NOT-SUPPORTED
		C: GET VAR "a b" server.version
		S: VAR a b server.version "2.8.5"`},
	{"tracking is off at first (NP-K1)", `
		C: GET TRACKING
		S: OFF
		C: GET TRACKING 1
		S: ERR FEATURE-NOT-CONFIGURED
		C: SET TRACKING ON
		S: ERR USERNAME-REQUIRED
		C: USERNAME nosuch
		S: OK
		C: SET TRACKING ON
		S: ERR PASSWORD-REQUIRED
		C: PASSWORD wrong
		S: OK
		C: SET TRACKING
		S: ERR INVALID-ARGUMENT
		C: SET TRACKING MAYBE
		S: ERR INVALID-ARGUMENT
		C: SET TRACKING on
		S: OK
		C: GET TRACKING
		S: ON
		C: SET TRACKING OFF
		S: OK
		C: GET TRACKING
		S: OFF`},
	{"lists (NP section 4)", `
		C: LIST
		S: ERR INVALID-ARGUMENT
		C: LIST VAR
		S: ERR INVALID-ARGUMENT
		C: LIST VAR nosuch
		S: ERR UNKNOWN-UPS
		C: LIST VAR ghost
		S: ERR DRIVER-NOT-CONNECTED
		C: LIST VAR old
		S: ERR DATA-STALE
		C: LIST RW fake
		S: BEGIN LIST RW fake
		S: RW fake battery.charge "90"
		S: RW fake battery.charge.low "20"
		S: RW fake input.transfer.low "103"
		S: RW fake noaux.string "a"
		S: RW fake ups.id "x"
		S: END LIST RW fake
		C: LIST VAR fake
		S: BEGIN LIST VAR fake
		S: VAR fake battery.charge "90"
		S: VAR fake battery.charge.low "20"
		S: VAR fake input.transfer.low "103"
		S: VAR fake noaux.string "a"
		S: VAR fake ups.id "x"
		S: VAR fake ups.mfr "Quo\"te \\ back \# hash"
		S: VAR fake ups.status "OL"
		S: END LIST VAR fake
		C: LIST CMD fake
		S: BEGIN LIST CMD fake
		S: CMD fake beeper.mute
		S: CMD fake load.off
		S: CMD fake Load.On
		S: END LIST CMD fake
		C: LIST ENUM fake ups.status
		S: BEGIN LIST ENUM fake ups.status
		S: END LIST ENUM fake ups.status
		C: LIST ENUM fake
		S: ERR INVALID-ARGUMENT
		C: LIST ENUM fake nosuch
		S: ERR VAR-NOT-SUPPORTED
		C: LIST RANGE ghost nosuch
		S: ERR DRIVER-NOT-CONNECTED
		C: LIST CLIENT nosuch
		S: ERR UNKNOWN-UPS
		C: LIST CLIENT
		S: ERR INVALID-ARGUMENT
		C: LIST CLIENT old
		S: BEGIN LIST CLIENT old
		S: END LIST CLIENT old
		C: LIST UPS surplus
		S: BEGIN LIST UPS
		S: UPS fake "Lab UPS one"
		S: UPS ghost "Description unavailable"
		S: UPS Old "the \"old\" one"
		S: END LIST UPS`},
	{"names and passwords (NP-C5, NP-C6)", `
		C: USERNAME
		S: ERR INVALID-ARGUMENT
		C: USERNAME a b
		S: ERR INVALID-ARGUMENT
		C: USERNAME ""
		S: OK
		C: USERNAME p
		S: ERR ALREADY-SET-USERNAME
		C: PASSWORD
		S: ERR INVALID-ARGUMENT
		C: PASSWORD ""
		S: OK
		C: PASSWORD p
		S: ERR ALREADY-SET-PASSWORD
		C: LOGIN fake
		S: ERR ACCESS-DENIED`},
}
