package interop

import "strings"

// rawFiles configure both servers; rawDump is what the driver of fake says. Of the other UPSes, bare
// says next to nothing, old is stale, latch is there for FSD, and ghost's driver does not run.
var rawFiles = map[string]string{
	"ups.conf": `
[fake]
	driver = dummy-ups
	port = a
	desc = "The \"big\" one \\ \#1"
[bare]
	driver = dummy-ups
	port = a
[old]
	driver = dummy-ups
	port = a
	desc = Stale
[Latch]
	driver = dummy-ups
	port = a
	desc = "Two  blanks = one desc"
[ghost]
	driver = dummy-ups
	port = a
	desc = ""
[sentinel]
	driver = dummy-ups
	port = a
	desc = "the end"
`,
	"upsd.conf": "LISTEN 127.0.0.1 @port@\nMAXAGE 600\n",
	"upsd.users": `
[admin]
	password = admin-pw
	actions = SET
	actions = FSD
	instcmds = ALL
[prim]
	password = prim-pw
	upsmon primary
[sec]
	password = sec-pw
	upsmon secondary
[oper]
	password = oper-pw
	instcmds = load.off Test.Battery.START
[setter]
	password = setter-pw
	actions = set
[plain]
	password = plain-pw
[nopw]
	actions = SET FSD
	instcmds = ALL
	upsmon primary
`,
}

const rawDump = `SETINFO battery.charge "90"
SETFLAGS battery.charge RW STRING
SETINFO battery.charge.low "20"
ADDRANGE battery.charge.low 10 30
ADDRANGE battery.charge.low 50 60
SETFLAGS battery.charge.low RW NUMBER
SETINFO battery.runtime "1200"
SETINFO Device.Zulu "upper"
SETINFO input.sensitivity "medium"
SETAUX input.sensitivity 6
ADDENUM input.sensitivity "low"
ADDENUM input.sensitivity "medium"
ADDENUM input.sensitivity "a \"b\" \\ \#c"
SETFLAGS input.sensitivity RW STRING
SETINFO input.transfer.low "103"
ADDENUM input.transfer.low "103"
ADDENUM input.transfer.low "100"
ADDENUM input.transfer.low "97"
SETFLAGS input.transfer.low RW NUMBER
SETINFO outlet.1.status "on"
SETFLAGS outlet.1.status STRING
SETAUX outlet.1.status 20
SETINFO test.mark "0"
SETINFO ups.delay.shutdown "30"
SETFLAGS ups.delay.shutdown RW NUMBER
SETINFO ups.empty ""
SETINFO ups.id "x"
SETAUX ups.id 8
SETFLAGS ups.id RW STRING
SETINFO ups.mfr "Quo\"te \\ back \# hash"
SETINFO ups.realpower "1"
SETFLAGS ups.realpower RW
SETINFO ups.serial "S=1; 'q'"
SETINFO ups.status "OL"
SETINFO upstream.battery.charge "80"
ADDCMD load.off
ADDCMD Load.On
ADDCMD beeper.mute
ADDCMD test.battery.start
ADDCMD mark
ADDCMD no.such.text
DATAOK
DUMPDONE
`

const (
	bareDump  = "DATAOK\nDUMPDONE\n"
	oldDump   = "SETINFO ups.status \"OL\"\nSETINFO ups.id \"x\"\nSETFLAGS ups.id RW STRING\nADDCMD load.off\nDATASTALE\nDUMPDONE\n"
	latchDump = "SETINFO ups.status \"OB\"\nSETINFO ups.id \"x\"\nSETFLAGS ups.status RW STRING\nSETAUX ups.status 9\nDATAOK\nDUMPDONE\n"
)

// rawCases are conversations, by who holds them. Each string is one, on a connection of its own,
// with a line feed added at its end; "¦" parts what is sent in separate packets.
var rawCases = []struct {
	as   string
	says []string
}{
	{"", []string{
		// constants (NP-C1 to NP-C4), with what may be wrong about them
		"VER", "ver", "VER x", "NETVER", "netver", "NETVER 1", "PROTVER", "PROTVER 1.3", "HELP", "help", "HELP VER",
		"STARTTLS", "STARTTLS x y", "starttls", "STARTTLS\nNETVER", "LOGOUT", "logout", "LOGOUT x", "LOGOUT\nVER\nNETVER",
		// words that are no request, and lines without words (NP-T8, NP-C30)
		"FOO", "FOO bar", "", "   ", "\t", "\r", "# comment", "   # comment", "\n\n\nNETVER", "GETVAR", "GE", "GET_VAR fake ups.status",
		"\"\"", "\"\" x", "=", "= GET", "\\", "\"NETVER\n\"", // the last two take the next line in
		// log-in data (NP-C5, NP-C6)
		"USERNAME", "USERNAME a b", "USERNAME a", "USERNAME \"\"", "USERNAME a\nUSERNAME a", "USERNAME \"\"\nUSERNAME x",
		"USERNAME a\nUSERNAME b c", "username \"a b\"", "USERNAME a=b", "USERNAME \"a=b\"", "USERNAME a#b",
		"PASSWORD", "PASSWORD a b", "PASSWORD a", "PASSWORD \"\"", "PASSWORD a\nPASSWORD a", "PASSWORD a\nPASSWORD a b",
		// what wants log-in data before anything else is looked at
		"LOGIN", "LOGIN fake", "LOGIN nosuch x y", "PRIMARY", "PRIMARY fake", "MASTER fake", "FSD", "FSD fake", "FSD nosuch",
		"SET", "SET VAR fake ups.id x", "SET TRACKING ON", "SET FOO", "INSTCMD", "INSTCMD fake load.off", "INSTCMD nosuch x",
		"USERNAME admin\nLOGIN", "USERNAME admin\nSET", "USERNAME admin\nINSTCMD", "USERNAME admin\nFSD fake",
		"USERNAME admin\nPRIMARY fake", "PASSWORD admin-pw\nLOGIN fake", "PASSWORD x\nSET VAR fake ups.id x",
	}},
	{"", []string{
		// GET (NP-C12 to NP-C19)
		"GET", "GET FOO", "GET FOO fake x", "GET VAR", "GET VAR fake", "GET VAR fake ups.status", "GET VAR fake ups.status surplus words",
		"get var fake ups.status", "GET VAR FAKE UPS.Status", "GET VAR fake nosuch", "GET VAR nosuch ups.status", "GET VAR ghost ups.status",
		"GET VAR ghost nosuch", "GET VAR old ups.status", "GET VAR old nosuch", "GET VAR bare ups.status", "GET VAR fake ups.mfr",
		"GET VAR fake ups.empty", "GET VAR fake ups.serial", "GET VAR fake device.zulu", "GET VAR fake Device.Zulu", "GET VAR fake \"\"",
		"GET VAR \"\" ups.status", "GET VAR fake test.mark",
		"GET VAR fake server.info", "GET VAR nosuch server.info", "GET VAR ghost server.version", "GET VAR fake SERVER.VERSION",
		"GET VAR fake server.foo", "GET VAR nosuch server.", "GET VAR fake server", "GET VAR fake serverx",
		"GET TYPE", "GET TYPE fake", "GET TYPE fake ups.status", "GET TYPE fake battery.charge", "GET TYPE fake battery.charge.low",
		"GET TYPE fake input.sensitivity", "GET TYPE fake input.transfer.low", "GET TYPE fake ups.id", "GET TYPE fake outlet.1.status",
		"GET TYPE fake ups.realpower", "GET TYPE fake UPS.ID x", "GET TYPE fake nosuch", "GET TYPE nosuch ups.id", "GET TYPE ghost ups.id",
		"GET TYPE old ups.id", "GET TYPE fake server.info",
		"GET DESC", "GET DESC fake", "GET DESC fake battery.charge", "GET DESC fake nosuch", "GET DESC fake upstream.battery.charge",
		"GET DESC FAKE UPS.Status x", "GET DESC nosuch ups.status", "GET DESC ghost ups.status", "GET DESC old ups.status", "GET DESC fake server.info",
		"GET DESC fake ups.id", "GET DESC fake \"\"",
		"GET CMDDESC", "GET CMDDESC fake", "GET CMDDESC fake load.off", "GET CMDDESC fake nosuch", "GET CMDDESC fake LOAD.On", "GET CMDDESC ghost load.off",
		"GET CMDDESC old load.off", "GET CMDDESC nosuch load.off", "GET CMDDESC fake load.off x", "GET CMDDESC fake no.such.text",
		"GET UPSDESC", "GET UPSDESC fake", "GET UPSDESC FAKE x", "GET UPSDESC bare", "GET UPSDESC old", "GET UPSDESC ghost", "GET UPSDESC nosuch",
		"GET UPSDESC latch",
		"GET NUMLOGINS", "GET NUMLOGINS fake", "GET NUMLOGINS Fake x", "GET NUMLOGINS ghost", "GET NUMLOGINS old", "GET NUMLOGINS nosuch",
		"GET TRACKING", "get tracking", "GET TRACKING x", "GET TRACKING 6E2C7BCC-6F2F-4D84-8E20-5D2B2C6F9A10", "GET TRACKING x y",
		"\"GET\" \"VAR\" \"fake\" \"ups.status\"",
	}},
	{"", []string{
		// LIST (NP-C20 to NP-C26, NP-L1 to NP-L7)
		"LIST", "LIST FOO", "LIST FOO fake", "LIST UPS", "list ups", "LIST UPS fake", "LIST VAR", "LIST VAR fake", "LIST VAR FAKE x", "LIST VAR nosuch",
		"LIST VAR ghost", "LIST VAR old", "LIST VAR bare", "LIST RW", "LIST RW fake", "LIST RW bare", "LIST RW old", "LIST RW nosuch x", "LIST CMD",
		"LIST CMD fake", "LIST CMD Bare", "LIST CMD ghost", "LIST CMD old", "LIST CMD nosuch", "LIST ENUM", "LIST ENUM fake",
		"LIST ENUM fake input.transfer.low", "LIST ENUM fake INPUT.Sensitivity", "LIST ENUM fake ups.id", "LIST ENUM fake nosuch", "LIST ENUM old ups.id",
		"LIST ENUM ghost x", "LIST ENUM nosuch x", "LIST ENUM fake ups.id x y", "LIST RANGE", "LIST RANGE fake", "LIST RANGE fake battery.charge.low",
		"LIST RANGE FAKE Battery.Charge.Low x", "LIST RANGE fake ups.id", "LIST RANGE fake nosuch", "LIST RANGE old ups.id", "LIST RANGE ghost x",
		"LIST RANGE nosuch x", "LIST CLIENT", "LIST CLIENT fake", "LIST CLIENT ghost", "LIST CLIENT old", "LIST CLIENT nosuch", "LIST CLIENT FAKE x",
		"LIST CLIENTS fake", "LIST TRACKING",
	}},
	{"", []string{
		// words and quotes (NP-T1 to NP-T4 and the limits of a line)
		"NETVER\r", "GET VAR fake ups.status\r", "  GET   VAR\tfake\vups.status\f", "GET VAR fake ups.status # comment", "NETVER#comment", "NETVER #",
		"GET VAR fake \"ups.status\"", "GET VAR fake ups\\.status", "GET VAR \\fake ups.status", "\\GET VAR fake ups.status", "G\\ET VAR fake ups.status",
		"GET VAR fa\"ke ups.status", "GET VAR \"fake\"ups.status", "GET\"VAR\" fake ups.status", "GET VAR 'fake' ups.status", "GET VAR fake=ups.status",
		"GET = VAR fake ups.status", "NETVER=", "\"NETVER\"", "\"NET\nVER\"", "NET\\\nVER", "NETVER \\\n", "GET VAR fake \"ups.\nstatus\"",
		"GET UPSDESC \"fa ke\"", "GET UPSDESC \"a\\\"b\"", "GET VAR fake a\\#b", "GET VAR \"a=b\" c", "GET VAR fake \\\"ups.status\\\"",
		"\x00NETVER", "NET\x00VER", "NETVER\x00", "\x01\x02NETVER", "NET\xc3\xa9VER", "NETVER\xff", "GET VAR fake ups.st\xe4tus", "NETVER\x7f", "\x7f",
		"GET VAR fake " + strings.Repeat("x", 100), "GET VAR fake " + strings.Repeat("x", 511), "GET VAR fake " + strings.Repeat("x", 512),
		"GET VAR fake " + strings.Repeat("x", 600), strings.Repeat("x", 511), strings.Repeat("x", 600), strings.Repeat("x", 5000),
		"GET VAR fake ups.status" + strings.Repeat(" x", 27), "GET VAR fake ups.status" + strings.Repeat(" x", 28), "GET VAR fake ups.status" + strings.Repeat(" x", 60),
		"NETVER" + strings.Repeat(" x", 40), "VER" + strings.Repeat(" ", 600), strings.Repeat(" ", 3000) + "NETVER", "NETVER #" + strings.Repeat("x", 2000),
		"GET UPSDESC " + strings.Repeat("y", 490), "USERNAME " + strings.Repeat("u", 600), "GET VAR " + strings.Repeat("y", 9000) + " x",
		// several requests in a packet, one in several (NP-T3)
		"NETVER\nNETVER\nPROTVER", "GET VAR fake ups.status\nGET VAR nosuch x\nLIST CMD bare\nVER x", "NET¦VER", "G¦E¦T VAR fa¦ke ups.status",
		"NETVER\nNET¦VER\nPROT¦VER", "NETVER\r¦", "GET VAR fake \"ups.¦status\"", "NETVER \\¦\n", "#¦NETVER", strings.Repeat("NETVER\n", 200) + "PROTVER",
		// quotes that do not balance: a # within them
		"GET VAR fake \"a#b\"", "NETVER\nGET VAR \"a#\" x\nNETVER", "\"#\nNETVER", "USERNAME \"a#b\"", "FOO \"#\"", "GET VAR \"#¦x\"\nNETVER", "\"a\"#b\nNETVER",
		"GET VAR fake \"ups.status\"#", "\"#\"\n\"#\"\n\"#\"\nNETVER",
	}},
	{"admin", []string{
		// SET VAR and the checks of its value (NP-C27, NP section 6)
		"SET", "SET VAR", "SET VAR fake", "SET VAR fake ups.id", "SET FOO fake ups.id x", "set var fake ups.id x", "SET VAR FAKE UPS.ID x",
		"SET VAR fake ups.id x y z", "SET VAR fake ups.id \"x y\"", "SET VAR fake ups.id \"\"", "SET VAR fake ups.id 12345678", "SET VAR fake ups.id 123456789",
		"SET VAR fake ups.id \"a\\\"b\\\\c\"", "SET VAR fake ups.id \"a\\#b\"", "SET VAR fake ups.id a\\#b", "SET VAR fake ups.id a=b", "SET VAR fake ups.id =",
		"SET VAR fake ups.id \"=\"", "SET VAR fake ups.id #", "SET VAR fake ups.id '", "SET VAR fake ups.id \xc3\xa9", "SET VAR fake ups.id \"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\"",
		"SET VAR fake ups.id \"\\\"\\\"\\\"\\\"\"", "SET VAR fake ups.id \"a\nb\"", "SET VAR fake ups.id TRACKING", "SET VAR fake ups.id \"x TRACKING y\"",
		"SET VAR fake nosuch x", "SET VAR nosuch nosuch x", "SET VAR ghost ups.id x", "SET VAR ghost nosuch x", "SET VAR old ups.id x", "SET VAR old nosuch x",
		"SET VAR fake ups.status OB", "SET VAR fake outlet.1.status off", "SET VAR fake battery.charge 10", "SET VAR fake server.info x",
		"SET VAR fake input.transfer.low 100", "SET VAR fake input.transfer.low 101", "SET VAR fake input.transfer.low \"\"", "SET VAR fake input.transfer.low 100.0",
		"SET VAR fake input.sensitivity low", "SET VAR fake input.sensitivity LOW", "SET VAR fake input.sensitivity lowest", "SET VAR fake input.sensitivity middle",
		"SET VAR fake input.sensitivity \"a \\\"b\\\" \\\\ \\#c\"",
		"SET VAR fake battery.charge.low 10", "SET VAR fake battery.charge.low 30", "SET VAR fake battery.charge.low 31", "SET VAR fake battery.charge.low 9",
		"SET VAR fake battery.charge.low 55", "SET VAR fake battery.charge.low 25.7abc", "SET VAR fake battery.charge.low abc", "SET VAR fake battery.charge.low \"\"",
		"SET VAR fake battery.charge.low -20", "SET VAR fake battery.charge.low \" 20\"", "SET VAR fake battery.charge.low +20", "SET VAR fake battery.charge.low 0x14",
		"SET VAR fake battery.charge.low 4294967316", "SET VAR fake ups.delay.shutdown x", "SET VAR fake ups.realpower \"any text\"",
		"SET VAR fake ups.delay.shutdown " + strings.Repeat("9", 300), "SET VAR bare ups.id x",
	}},
	{"admin", []string{
		// INSTCMD (NP-C29)
		"INSTCMD", "INSTCMD fake", "INSTCMD fake load.off", "instcmd FAKE LOAD.OFF", "INSTCMD fake load.on", "INSTCMD fake load.off 120", "INSTCMD fake load.off \"\"",
		"INSTCMD fake load.off \"1 2\"", "INSTCMD fake load.off 1 2", "INSTCMD fake load.off 1 2 3 4", "INSTCMD fake nosuch", "INSTCMD fake nosuch 1", "INSTCMD fake nosuch 1 2",
		"INSTCMD nosuch load.off", "INSTCMD nosuch", "INSTCMD ghost load.off", "INSTCMD old load.off", "INSTCMD bare load.off", "INSTCMD fake \"\"",
		"INSTCMD fake load.off TRACKING", "INSTCMD fake load.off \"a\\\"b\"", "INSTCMD fake load.off a\\#b", "INSTCMD fake load.off =", "INSTCMD fake load.off a=b",
		// TRACKING (NP-C28, NP-K1 to NP-K7)
		"SET TRACKING", "SET TRACKING ON", "SET TRACKING on\nGET TRACKING", "SET TRACKING OFF\nGET TRACKING", "SET TRACKING On x\nGET TRACKING", "SET TRACKING 1",
		"SET TRACKING yes", "SET TRACKING \"\"", "set tracking ON\nSET TRACKING OFF\nGET TRACKING\nGET TRACKING x", "SET TRACKING ON\nGET TRACKING x",
		"SET TRACKING ON\nGET TRACKING \"\"", "SET TRACKING ON\nSET VAR fake ups.id x", "SET TRACKING ON\nINSTCMD fake load.off", "SET TRACKING ON\nINSTCMD fake load.off 120",
		"SET TRACKING ON\nINSTCMD fake load.off 1 2", "SET TRACKING ON\nSET VAR fake ups.id \"x y\"", "SET TRACKING ON\nSET VAR fake nosuch 1", "SET TRACKING ON\nINSTCMD fake nosuch",
		"SET TRACKING ON\nINSTCMD fake load.off\n¦GET TRACKING $id", "SET TRACKING ON\nINSTCMD fake load.off\n¦!0¦GET TRACKING $id",
		"SET TRACKING ON\nINSTCMD fake load.off\n¦!1¦GET TRACKING $id", "SET TRACKING ON\nINSTCMD fake load.off\n¦!2¦GET TRACKING $id",
		"SET TRACKING ON\nINSTCMD fake load.off\n¦!3¦GET TRACKING $id", "SET TRACKING ON\nINSTCMD fake load.off\n¦!4¦GET TRACKING $id",
		"SET TRACKING ON\nINSTCMD fake load.off\n¦!5¦GET TRACKING $id", "SET TRACKING ON\nINSTCMD fake load.off\n¦!-1¦GET TRACKING $id",
		"SET TRACKING ON\nINSTCMD fake load.off\n¦!99¦GET TRACKING $id", "SET TRACKING ON\nINSTCMD fake load.off\n¦!fine¦GET TRACKING $id",
		"SET TRACKING ON\nINSTCMD fake load.off\n¦!0 x¦GET TRACKING $id", "SET TRACKING ON\nSET VAR fake ups.id x\n¦!0¦GET TRACKING $id\nGET TRACKING $lower x",
		"SET TRACKING ON\nSET VAR fake ups.id x\n¦!3¦!0¦GET TRACKING $id", "SET TRACKING ON\nSET VAR fake ups.id x\n¦SET TRACKING OFF\n¦GET TRACKING $id",
		// roles that this user lacks or has (NP-C7 to NP-C10)
		"LOGIN fake", "LOGIN nosuch", "LOGIN", "LOGIN fake x", "PRIMARY fake", "PRIMARY nosuch", "PRIMARY", "PRIMARY fake x", "MASTER fake", "FSD", "FSD latch x", "FSD nosuch",
		"LOGOUT", "USERNAME admin", "PASSWORD x",
	}},
	{"prim", []string{
		"LOGIN fake", "login FAKE", "LOGIN nosuch", "LOGIN", "LOGIN fake bare", "LOGIN ghost", "LOGIN old", "LOGIN fake\nLOGIN fake", "LOGIN fake\nLOGIN nosuch",
		"LOGIN fake\nLOGIN", "LOGIN fake\nLOGIN bare x", "LOGIN nosuch\nLOGIN fake", "LOGIN fake\nGET NUMLOGINS fake\nLIST CLIENT fake", "LOGIN fake\nLIST CLIENT FAKE",
		"LOGIN ghost\nLIST CLIENT ghost\nGET NUMLOGINS ghost", "LOGIN fake\nLOGOUT", "GET NUMLOGINS fake", "PRIMARY fake", "primary Fake", "MASTER fake", "PRIMARY ghost", "MASTER old",
		"PRIMARY", "MASTER", "PRIMARY fake x", "MASTER nosuch", "SET VAR fake ups.id x", "SET VAR fake ups.status x", "SET VAR fake nosuch x", "SET VAR ghost nosuch x",
		"INSTCMD fake load.off", "INSTCMD fake nosuch", "SET TRACKING ON\nINSTCMD fake load.off", "FSD", "FSD nosuch", "FSD fake x", "\"LOGIN\" \"fake\"", "LOGIN \"fake\"", "LOGIN fa\\ke",
	}},
	{"sec", []string{
		"LOGIN fake", "LOGIN old\nLIST CLIENT old", "PRIMARY fake", "MASTER fake", "FSD latch", "SET VAR fake ups.id x", "INSTCMD fake load.off", "SET TRACKING ON\nGET TRACKING",
	}},
	{"oper", []string{
		"INSTCMD fake load.off", "INSTCMD fake LOAD.Off", "INSTCMD fake test.battery.start", "INSTCMD fake load.on", "INSTCMD fake nosuch", "LOGIN fake", "FSD latch", "SET VAR fake ups.id x",
	}},
	{"setter", []string{"SET VAR fake ups.id x", "FSD latch", "INSTCMD fake load.off", "LOGIN fake", "SET VAR fake nosuch x"}},
	{"plain", []string{"SET VAR fake ups.id x", "FSD latch", "INSTCMD fake load.off", "LOGIN fake", "PRIMARY fake", "SET TRACKING ON"}},
	{"", []string{
		// users that are none (NP-C7, UD section 7)
		"USERNAME admin\nPASSWORD wrong\nSET VAR fake ups.id x\nINSTCMD fake load.off\nFSD latch\nLOGIN fake\nPRIMARY fake\nSET TRACKING ON",
		"USERNAME ADMIN\nPASSWORD admin-pw\nSET VAR fake ups.id x", "USERNAME admin\nPASSWORD ADMIN-PW\nSET VAR fake ups.id x", "USERNAME nobody\nPASSWORD x\nLOGIN fake",
		"USERNAME nopw\nPASSWORD \"\"\nLOGIN fake", "USERNAME nopw\nPASSWORD x\nSET VAR fake ups.id x", "USERNAME \"\"\nPASSWORD \"\"\nLOGIN fake",
		"USERNAME prim\nPASSWORD \"prim-pw\"\nLOGIN fake", "PASSWORD prim-pw\nUSERNAME prim\nLOGIN fake", "USERNAME prim\nPASSWORD prim-pwx\nLOGIN fake", "USERNAME prim\nPASSWORD prim-p\nLOGIN fake",
		"USERNAME pr\xffim\nPASSWORD prim-pw\nLOGIN fake", "USERNAME [prim]\nPASSWORD prim-pw\nLOGIN fake",
	}},
	{"", []string{
		// what a driver may say (DS-D1 to DS-D12), and what clients then read
		"<SETINFO d.a \"1\"\n¦GET VAR fake d.a", "<SETINFO d.b plain\n¦GET VAR fake d.b", "<SETINFO d.c two words\n¦GET VAR fake d.c", "<SETINFO d.d\n¦GET VAR fake d.d",
		"<SETINFO d.e \"q\\\"b\\\\h\\#\"\n¦GET VAR fake d.e", "<SETINFO d.f \"Abc\"\nSETINFO d.f \"ABC\"\n¦GET VAR fake d.f", "<SETINFO d.g \"1\"\nSETINFO D.G \"2\"\n¦GET VAR fake d.g\nGET VAR fake D.G",
		"<SETINFO d.h \"" + strings.Repeat("v", 255) + "\"\n¦GET VAR fake d.h", "<SETINFO d.i \"" + strings.Repeat("v", 300) + "\"\n¦GET VAR fake d.i",
		"<SETINFO d.j \"" + strings.Repeat("v", 510) + "\"\n¦GET VAR fake d.j", "<SETINFO d.k \"1\"\nDELINFO d.k\n¦GET VAR fake d.k", "<DELINFO d.nosuch\n¦GET VAR fake d.nosuch",
		"<SETINFO d.l \"a\nb\"\n¦GET VAR fake d.l", "<SETINFO d.m \"\xe9\x00\x7f\"\n¦GET VAR fake d.m", "<SETINFO d.n = x\n¦GET VAR fake d.n", "<setinfo d.o x\n¦GET VAR fake d.o",
		"<SETINFO d.p \"a#b\"\nSETINFO d.q 1\n¦GET VAR fake d.q", "<SETINFO d.r 1 # why\n¦GET VAR fake d.r", "<HELLO\n\n#\n\"\"\nSETINFO d.s 1\n¦GET VAR fake d.s", "<SETINFO \"\" x\n¦GET VAR fake \"\"",
		"<SETINFO e.a 1\nADDENUM e.a 1\nADDENUM e.a 2\nADDENUM e.a 1\n¦LIST ENUM fake e.a\nGET TYPE fake e.a", "<ADDENUM e.none 1\n¦LIST ENUM fake e.none", "<SETINFO e.b 1\nADDENUM e.b x\nADDENUM e.b X\nDELENUM e.b x\n¦LIST ENUM fake e.b",
		"<SETINFO e.c 1\nADDENUM e.c x\nDELENUM e.c y\nDELENUM e.none x\nADDENUM e.c\n¦LIST ENUM fake e.c", "<SETINFO e.d 1\nADDENUM e.d \"a b\"\nDELINFO e.d\nSETINFO e.d 2\n¦LIST ENUM fake e.d",
		"<SETINFO r.a 1\nADDRANGE r.a 1 5\nADDRANGE r.a 7 9\n¦LIST RANGE fake r.a\nGET TYPE fake r.a", "<SETINFO r.b 1\nADDRANGE r.b 5 1\n¦LIST RANGE fake r.b", "<SETINFO r.c 1\nADDRANGE r.c 1 5\nADDRANGE r.c 1 9\n¦LIST RANGE fake r.c",
		"<SETINFO r.d 1\nADDRANGE r.d 1 5\nADDRANGE r.d 0 5\n¦LIST RANGE fake r.d", "<SETINFO r.e 1\nADDRANGE r.e 1 5\nDELRANGE r.e 1 5\nDELRANGE r.e 1 5\n¦LIST RANGE fake r.e", "<SETINFO r.f 1\nADDRANGE r.f a b\nADDRANGE r.f 1\n¦LIST RANGE fake r.f",
		"<SETINFO r.g 1\nADDRANGE r.g -5 5\n¦LIST RANGE fake r.g", "<ADDRANGE r.none 1 2\n¦LIST RANGE fake r.none", "<SETINFO r.h 1\nADDRANGE r.h 1.5 2.5\n¦LIST RANGE fake r.h",
		"<SETINFO f.a 1\nSETFLAGS f.a RW STRING\nSETAUX f.a 5\n¦GET TYPE fake f.a", "<SETINFO f.b 1\nSETFLAGS f.b RW STRING\nSETFLAGS f.b NUMBER\n¦GET TYPE fake f.b", "<SETINFO f.c 1\nSETFLAGS f.c RW COLOUR\n¦GET TYPE fake f.c",
		"<SETINFO f.d 1\nSETFLAGS f.d rw string\nSETAUX f.d 3\n¦GET TYPE fake f.d", "<SETINFO f.e 1\nSETFLAGS f.e STRING\nSETAUX f.e x\n¦GET TYPE fake f.e", "<SETINFO f.f 1\nSETFLAGS f.f STRING\nSETAUX f.f -3\n¦GET TYPE fake f.f",
		"<SETFLAGS f.none RW\nSETAUX f.none 3\n¦GET TYPE fake f.none", "<SETINFO f.g 1\nSETFLAGS f.g RW\nSETFLAGS f.g\n¦GET TYPE fake f.g", "<SETINFO f.h 1\nSETFLAGS f.h RW STRING NUMBER\nSETAUX f.h 2\n¦GET TYPE fake f.h",
		"<ADDCMD zz.one\nADDCMD ZZ.one\nADDCMD zz.two\nDELCMD zz.two\nDELCMD zz.none\nADDCMD\n¦LIST CMD fake", "<DATASTALE\n¦GET VAR fake ups.status\nLIST VAR fake\nGET UPSDESC fake\n¦<DATAOK\n¦GET VAR fake ups.status",
		"<DATASTALE now\n¦GET VAR fake ups.status\n¦<DATAOK\n¦GET VAR fake ups.status", "<TRACKING 123 0\nTRACKING\nPID 5\nPONG\nDUMPDONE\nOK Goodbye\n¦GET VAR fake ups.status", "<SETINFO ups.status \"OB LB\"\n¦GET VAR fake ups.status",
		"<SETINFO upstream.ups.load 5\n¦GET VAR fake upstream.ups.load",
	}},
	{"prim", []string{
		// FSD, which stays (NP-C10, NP-F2, NP-F3, NP-L6)
		"FSD ghost", "FSD old", "FSD latch\nGET VAR latch ups.status\nLIST VAR latch\nLIST RW latch", "fsd LATCH", "GET VAR Latch UPS.STATUS",
		"LIST VAR latch", "LIST RW latch", "GET NUMLOGINS latch", "LIST CLIENT latch",
	}},
	{"admin", []string{"FSD latch\nFSD latch", "SET VAR latch ups.status x", "SET VAR latch ups.status \"FSD OB\""}},
}
