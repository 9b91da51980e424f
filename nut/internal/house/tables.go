package house

// Module is the path of this module.
const Module = "github.com/blackstart-ups/blackstart"

// Groups of packages that stand on one step of the stairs; used in Layers only.
const (
	ground = "nut nut/line nut/env nut/transport nut/service"
	words  = ground +
		" nut/env/netconn nut/pki nut/config nut/state nut/sockproto nut/netproto nut/client"
	stack = words + " nut/driver nut/upsd nut/upsmon nut/upssched nut/upsdrvctl " +
		"nut/upsc nut/upscmd nut/upsrw nut/upslog"
	models = "devsim devsim/power devsim/serve"
	stage  = "scenarios/world scenarios/site scenarios/check"
	metal  = "nut/env/osenv nut/transport/serial nut/transport/devsock"

	everything = stack + " drivers " + models + " " + stage + " " + metal +
		" scenarios scenarios/rung scenarios/script scenarios/sweep"
)

// Layers says what each part of the module may import from it. A package belongs to the part with
// the longest matching path, and may always import packages of its own part.
var Layers = []struct{ Part, May string }{
	{"nut/env", ""},
	{"nut/env/osenv", "nut/env"},
	{"nut/env/netconn", "nut/env"},
	{"nut/pki", "nut/env"},
	{"nut/pki/pkitest", ""},
	{"nut/transport", "nut/env"},
	{"nut/transport/porttest", "nut/env nut/transport"},
	{"nut/transport/devsock", "nut/env nut/transport"},
	{"nut/transport/serial", "nut/env nut/env/osenv nut/transport"},
	{"nut/transport/usb", "nut/env nut/transport"},
	{"nut/line", ""},
	{"nut", "nut/env"},
	{"nut/service", "nut nut/env"},
	{"nut/internal/house", ""},
	{"nut/captures", ""},

	{"nut/state", "nut nut/line"},
	{"nut/config", "nut nut/line"},
	{"nut/netproto", "nut nut/line nut/state"},
	{"nut/sockproto", "nut nut/line nut/state nut/netproto"},
	{"nut/client", ground + " nut/env/netconn nut/pki nut/config nut/netproto"},
	{"nut/client/flags", ground + " nut/client nut/config"},
	{"nut/client/operator", ground + " nut/client nut/client/flags nut/config nut/netproto"},

	{"nut/driver", words + " nut/driver/remote"},
	{"nut/driver/remote", words},
	{"nut/upsd", words},
	{"nut/upsmon", words},
	{"nut/upssched", words},
	{"nut/upsdrvctl", words + " nut/driver/remote"},
	{"nut/upsc", words + " nut/client/flags"},
	{"nut/upscmd", words + " nut/client/flags nut/client/operator"},
	{"nut/upsrw", words + " nut/client/flags nut/client/operator"},
	{"nut/upslog", words + " nut/client/flags"},

	{"drivers", words + " nut/driver"},
	{"devsim/power", ""},
	{"devsim", "devsim/power nut/env nut/transport"},
	{"devsim/serve", "devsim devsim/power nut/env nut/transport nut/transport/devsock"},

	{"scenarios", ""},
	{"scenarios/world", stack + " drivers " + models},
	{"scenarios/site", ground + " " + models},
	{"scenarios/check", words},
	{"scenarios/rung", stack + " drivers " + models + " " + stage + " " + metal},
	{"scenarios/script", stack + " drivers " + models + " " + stage + " scenarios/rung"},
	{"scenarios/sweep", stack + " drivers " + models + " " + stage +
		" scenarios/rung scenarios/script"},
	{"fuzz", stack + " drivers " + models + " " + stage + " scenarios/rung scenarios/script"},

	{"hil", everything + " nut/transport/usb"},
	{"cmd", stack + " nut/env/osenv"},
	{"cmd/upsdrv", stack + " drivers " + metal + " nut/transport/usb"},
	{"cmd/upsim", ground + " " + models + " " + metal},
	{"cmd/rehearse", everything},
}

// Foreign says which parts may import a package from outside the module. A path covers what is
// below it; parts cover what is below them. What is not listed is a new dependency: it wants a
// line and a reason.
var Foreign = []struct{ Path, May, Why string }{
	{"github.com/spf13/pflag", "cmd nut drivers devsim scenarios hil", "flags, a set for each call"},
	{"go.bug.st/serial", "nut/transport/serial", "its errors are renamed there, once"},
	{"github.com/google/gousb", "nut/transport/usb", "libusb; its errors are renamed there, once"},
	{"github.com/youmark/pkcs8", "nut/pki", "opens private keys that have a password"},
	{"golang.org/x/sys", "nut/env/osenv nut/transport/serial devsim/serve hil", "calls the system"},
	{"github.com/rogpeppe/go-internal", "scenarios fuzz cmd/rehearse hil", "the engine of scripts"},
	{"pgregory.net/rapid", "scenarios fuzz", "draws and shrinks inputs"},
}

// Virtual lists the parts whose code runs in virtual time. Everything below them is held to the
// rules about time, tasks, order and randomness, the adapters excepted.
var Virtual = []string{
	"nut", "drivers", "devsim", "scenarios/world", "scenarios/site", "scenarios/check",
}

// Adapters are the places in virtual parts that touch the real machine. A path ends in a slash or
// is a file.
var Adapters = []struct{ Path, Why string }{
	{"nut/env/osenv/", "is the real machine"},
	{"nut/env/netconn/", "speaks net.Conn to the standard library"},
	{"nut/transport/serial/", "is the real port"},
	{"nut/transport/usb/", "is the real bus"},
	{"devsim/serve/pty.go", "offers a device on a port of this machine"},
	{"nut/captures/", "finds recordings for tests"},
	{"scenarios/world/kernel/watchdog.go", "names a task that is stuck outside virtual time"},
}

// FuncLimit is the longest function in lines: what fits on a screen with room for its comment.
const FuncLimit = 70

// Long lists the functions that exceed FuncLimit, as path.Func or path.Type.Func, with their
// length. It may only shrink.
var Long = []LongFunc{}

// A LongFunc is a function that was long when the limit came.
type LongFunc struct {
	Func  string
	Lines int
}

// TopLevel is what may stand at the root of the tree, besides names that begin with a dot.
var TopLevel = []string{
	"cmd", "nut", "drivers", "devsim", "scenarios", "hil", "fuzz",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md",
}

// Unsaid are words that have no place in the project's text, because they tell of the room it was
// written in. They are put together here, so that this file does not contain them.
var Unsaid = []string{
	"/wo" + "rk/", "/tmp/" + "contract", "Clau" + "de", "Anthro" + "pic", "Open" + "AI",
	"Chat" + "GPT", "language " + "model", "as an " + "AI",
}
