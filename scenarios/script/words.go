package script

import (
	"fmt"
	"strings"
)

// A word is one command of the language.
type word struct {
	name  string
	usage string
	help  string
	run   func(r *room, args []string) error
	neg   bool // may stand behind !
}

// words is the language, in the order of the manual.
func words() []word {
	return []word{
		{name: "needs", usage: "needs CAP...",
			help: "skip the scenario unless the rung can do all of these", run: (*room).needs},
		{name: "mains", usage: "mains FEED [on|off|sag V|swell V|flicker N PERIOD]",
			help: "declare a mains feed, or drive it", run: (*room).mains},
		{name: "ups",
			usage: "ups NAME feed=F [kind=megatec|apcsmart|contact dialect=NAME runtime=D low=D load=N kill=cycle|onbatt-only|none|cancels|completes reject=echo|nak|nakopen|ignore stubborn=yes nocancel=yes norestart=yes bare=returns|waits|stays hasty=yes early=yes model=smart-ups|old|matrix|cs|unknown type=N hold=D delay=D latch=yes bridge=cypress|... serial=TEXT ...]", help: "declare an emulated UPS", run: (*room).ups},
		{name: "ups", usage: "ups NAME fault KIND [for D] | unplug | plug | battery N%",
			help: "hurt it; a USB device (one with a bridge) is back at another number when plugged in",
			run:  nil},
		{name: "host",
			usage: "host NAME fedby=UPS[:N],... [min=N boot=D halt=D fallback=reboot:D bios=on|last|off]", help: "declare a computer", run: (*room).host},
		{name: "host", usage: "host NAME crash|halt|reboot", help: "reset it, or press its button",
			run: nil},
		{name: "cable", usage: "cable UPS HOST:PORT",
			help: "connect a UPS to a port; config files say @PORT@, or @usb@ for all USB ports", run: (*room).cable},
		{name: "link", usage: "link A B [latency=D] [loss=N%]", help: "declare a network link",
			run: (*room).link},
		{name: "service", usage: "service HOST driver:UPS|upsd|upsmon ...",
			help: "what the host runs; its files are below HOST/etc/", run: (*room).service},
		{name: "seed", usage: "seed N", help: "fix the seed of the run (before start)",
			run: (*room).setSeed},
		{name: "start", usage: "start", help: "give the room power", run: (*room).start},
		{name: "net", usage: "net cut|cut-to|heal|delay A B [D]",
			help: "hurt or heal a link; cut-to cuts one way", run: (*room).net},
		{name: "proc", usage: "proc HOST SERVICE kill|pause|resume|restart|reload",
			help: "do it to a service's process; ! when there is none", run: (*room).proc, neg: true},
		{name: "run", usage: "run HOST PROGRAM ARGS...",
			help: "run a client, its words may be @addr@ and the like; ! when it must fail; 'printed TEXT' looks at its output", run: (*room).run, neg: true},
		{name: "printed", usage: "printed TEXT", help: "the last program printed this",
			run: (*room).printed, neg: true},
		{name: "after", usage: "after D", help: "let time pass", run: (*room).after},
		{name: "await", usage: "await MAX COND", help: "the condition comes true within MAX",
			run: (*room).await, neg: true},
		{name: "hold", usage: "hold D COND", help: "the condition stays true for D", run: (*room).hold},
		{name: "expect", usage: "expect COND", help: "the condition is true now", run: (*room).expect,
			neg: true},
		{name: "never", usage: "never COND", help: "the condition stays false from now to the end",
			run: (*room).never},
		{name: "file", usage: "file HOST NAME", help: "the file is in the host's state folder; ! for not",
			run: (*room).hasFile, neg: true},
		{name: "order", usage: "order WHO:WHAT...", help: "these happened in this order",
			run: (*room).order},
		{name: "mark", usage: "mark NAME", help: "name this instant", run: (*room).mark},
		{name: "between", usage: "between A B MIN MAX",
			help: "the time from A to B (marks or WHO:WHAT) is in the window", run: (*room).between},
		{name: "measure", usage: "measure NAME UPS runtime-left-at HOST:STATE [min=D] [max=D]",
			help: "record how much battery was left", run: (*room).measure},
		{name: "allow", usage: "allow ORACLE [host=H] reason=WORD", help: "excuse one oracle, counted",
			run: (*room).allow},
		{name: "quiesce", usage: "quiesce D",
			help: "repair everything, wait, and judge that all came back", run: (*room).quiesce},
		{name: "explore", usage: "explore seeds=N faults=outage,partition,delay,stall,kill",
			help: "sim: the same room under N seeds of random faults", run: (*room).explore},
		{name: "clock", usage: "clock HOST jump D|drift PPM",
			help: "sim: set the calendar of a host off; let its clock run wrong from the start", run: (*room).clock},
		{name: "try", usage: "try WORD...", help: "do it; what keeps it from being done is no error",
			run: (*room).try},
		{name: "state", usage: "state", help: "print what the room looks like now", run: (*room).state},
	}
}

// Usage is the manual of the language.
func Usage() string {
	var b strings.Builder
	b.WriteString("Words:\n")
	for _, w := range words() {
		fmt.Fprintf(&b, "  %s\n      %s\n", w.usage, w.help)
	}
	b.WriteString("\nConditions (COND):\n")
	for _, c := range conditions() {
		fmt.Fprintf(&b, "  %s\n      %s\n", c.usage, c.help)
	}
	b.WriteString("\nGuards: a line may begin with [sim], [proc] or [cap:NAME]; it then counts only there.\n")
	return b.String()
}
