package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// odd is a value with all that wants an escape.
const odd = `new "name" \ #1`

// safer is odd without #, which some clients do not escape; Debian's upsd then never answers.
const safer = `new "name" \ 1`

func visitUpsc(v *visit) {
	b := v.office
	a := b.ask(debian.upsc, "-L", "127.0.0.1:"+b.port)
	for name, desc := range descriptions {
		v.says("the list", a.out, name+": "+desc+"\n")
	}
	want, f := b.facts(), facts{}
	for _, name := range []string{"rack", "desk"} {
		for _, x := range parseList(b.ask(debian.upsc, b.ups(name)).out) {
			f["var "+name+" "+x.name] = x.value
		}
	}
	v.served(f, want, "var")
	a = b.ask(debian.upsc, b.ups("gone"))
	v.is("the exit code for a UPS out of reach", a.code, 1)
	v.says("upsc of a UPS out of reach", a.err, "Error: Driver not connected")
	v.is("the exit code for nobody's clients", b.ask(debian.upsc, "-c", b.ups("desk")).code, 0)
}

func visitUpscmd(v *visit) {
	b := v.office
	a := b.ask("upscmd", "-l", b.ups("desk"))
	for _, key := range sortedKeys(b.facts()) {
		if name, ok := strings.CutPrefix(key, "cmd desk "); ok {
			v.says("the list", a.out, "\n"+name+" - ")
		}
	}
	a = b.ask("upscmd", "-w", "-u", "admin", "-p", "secret", b.ups("desk"), "beeper.mute")
	v.is("the exit code", a.code, 0)
	v.says("upscmd", a.out+a.err, "SUCCESS\n")
	v.arrives(b.desk, "ups.beeper.status", "muted")
	for _, r := range []struct{ says, user, password, ups, command string }{
		{"ERR ACCESS-DENIED", "admin", "wrong", "desk", "beeper.enable"},
		{"ERR ACCESS-DENIED", "watcher", "watch", "desk", "beeper.enable"},
		{"ERR CMD-NOT-SUPPORTED", "admin", "secret", "desk", "no.such"},
		{"ERR DRIVER-NOT-CONNECTED", "admin", "secret", "gone", "beeper.enable"},
	} {
		a := b.ask("upscmd", "-u", r.user, "-p", r.password, b.ups(r.ups), r.command)
		v.is("the exit code of a refusal", a.code, 1)
		v.says("upscmd", a.err, "Unexpected response from upsd: "+r.says)
	}
}

func visitUpsrw(v *visit) {
	b := v.office
	a := b.ask("upsrw", b.ups("desk"))
	for _, key := range sortedKeys(b.facts()) {
		if name, ok := strings.CutPrefix(key, "rw desk "); ok {
			v.says("the list", a.out, "["+name+"]\n")
		}
	}
	v.says("the list", a.out, "Type: STRING", "Value: initial", "Type: NUMBER", "Value: 99.5")
	a = b.ask("upsrw", "-w", "-u", "admin", "-p", "secret", "-s", "ups.id="+odd, b.ups("desk"))
	v.is("the exit code", a.code, 0)
	v.says("upsrw", a.out+a.err, "SUCCESS\n")
	v.arrives(b.desk, "ups.id", odd)
	for _, r := range []struct{ says, password, ups, set string }{
		{"ERR ACCESS-DENIED", "wrong", "desk", "ups.id=x"},
		{"ERR VAR-NOT-SUPPORTED", "secret", "desk", "no.such=x"},
		{"ERR READONLY", "secret", "desk", "driver.name=x"},
		{"ERR TOO-LONG", "secret", "desk", "ups.id=" + strings.Repeat("x", 100)},
	} {
		a := b.ask("upsrw", "-u", "admin", "-p", r.password, "-s", r.set, b.ups(r.ups))
		v.is("the exit code of a refusal", a.code, 1)
		v.says("upsrw", a.err, "Unexpected response from upsd: "+r.says)
	}
}

func visitUpslog(v *visit) {
	b := v.office
	for name, want := range map[string]string{
		"rack": `ALARM OB LB DISCHRG|12.5|Quo"te \ back # hash|Battery is hot|NA|`,
		"desk": "OL CHRG|99.5|Small One|NA|NA|",
	} {
		format := name + "|%VAR ups.status%|%VAR battery.charge%|%VAR ups.model%|%VAR ups.alarm%" +
			"|%VAR no.such%|"
		flags := append(asRoot(), "-s", b.ups(name), "-l", "-", "-i", "1", "-f", format, "-F")
		d := b.start("upslog", flags...)
		d.waitFor(v.t, name+"|")
		d.waitFor(v.t, "|\n"+name+"|") // a second round
		v.says("the log", d.said.String(), name+"|"+want+"\n")
	}
}

func visitUpsmon(v *visit) {
	b := v.office
	conf := "MONITOR " + b.ups("desk") + " 1 watcher watch secondary\n" +
		"MONITOR " + b.ups("gone") + " 0 watcher watch secondary\n" +
		"SHUTDOWNCMD true\nPOLLFREQ 1\nPOLLFREQALERT 1\nMINSUPPLIES 1\nNOCOMMWARNTIME 1\n"
	me, err := user.Current()
	if err != nil {
		v.t.Fatal(err)
	}
	m := newBench(v.t, map[string]string{"upsmon.conf": conf + "RUN_AS_USER " + me.Username + "\n"})
	defer func() {
		m.stop()
		m.daemons = nil
	}()
	d := m.start("unshare", ownRun(v.t, "exec "+debian.upsmon+" -F")...)
	d.waitFor(v.t, "UPS "+b.ups("gone")+" is unavailable")
	v.says("who is logged in", b.ask(debian.upsc, "-c", b.ups("desk")).out, "127.0.0.1\n")
	b.desk.say("INSTCMD test.failure.start\n")
	d.waitFor(v.t, "UPS "+b.ups("desk")+" on battery")
	b.desk.say("INSTCMD test.failure.stop\n")
	d.waitFor(v.t, "UPS "+b.ups("desk")+" on line power")
}

func visitUpsstats(v *visit) {
	b := v.office
	own := filepath.Join(v.t.TempDir(), "cgi")
	if err := os.CopyFS(own, os.DirFS(v.m.file("nut-cgi", "etc/nut"))); err != nil {
		v.t.Fatal(err)
	}
	hosts := ""
	for _, name := range []string{"rack", "desk", "gone"} {
		hosts += fmt.Sprintf("MONITOR %s \"The %s\"\n", b.ups(name), name)
	}
	if err := os.WriteFile(own+"/hosts.conf", []byte(hosts), 0o600); err != nil {
		v.t.Fatal(err)
	}
	// The page of all UPSes is made from /etc/nut, whatever NUT_CONFPATH says.
	cgi := v.m.file("nut-cgi", "usr/lib/cgi-bin/nut/upsstats.cgi")
	run := ownRun(v.t, "mount --bind "+own+" /etc/nut && exec "+cgi)
	page := func(query string) string {
		env := []string{"NUT_CONFPATH=" + own, "REQUEST_METHOD=GET", "QUERY_STRING=" + query, "unshare"}
		a := b.ask("/usr/bin/env", append(env, run...)...)
		v.is("the exit code", a.code, 0)
		return a.out
	}
	v.says("the page of all", page(""), "The rack", "ON BATTERY<br>LOW BATTERY<br>", "The desk",
		"ONLINE", "The gone", "Driver not connected")
	v.says("the page of rack", page("host="+b.ups("rack")), `Quo"te \ back # hash`,
		"ON BATTERY<br>LOW BATTERY<br>", "00:01:30", `ALT="Battery charge: 12.5"`, "229.8  V")
	v.says("the page of desk", page("host="+b.ups("desk")), "Small One", "ONLINE<br>", "00:30:00",
		`ALT="UPS load: 23"`)
}

func visitLibnutclient(v *visit) {
	b := v.office
	f, want := v.told(b, v.m.dir+"/libnutclient", b.port, "admin", "secret", safer, v.doomed.port)
	v.refused(f, "command that is none", "CMD-NOT-SUPPORTED")
	v.refused(f, "variables of gone", "DRIVER-NOT-CONNECTED")
	v.served(f, want, "ups", "var", "rw", "cmd", "desc", "cmddesc")
	for _, key := range sortedKeys(f) {
		if rest, ok := strings.CutPrefix(key, "bulk "); ok {
			v.is("bulk "+rest, f[key], f["var "+rest])
			delete(f, "var "+rest)
		}
	}
	for _, key := range sortedKeys(f) {
		if strings.HasPrefix(key, "var ") {
			v.complain("bulk leaves out %s", key)
		}
	}
	v.did(f, map[string]string{"tracking before": "0", "tracking after": "1", "set": "success",
		"command": "success", "logins": "1", "primary": "granted", "fsd": "set"})
	v.forced("libnutclient")
	v.arrives(b.desk, "ups.id", safer)
	v.arrives(b.desk, "ups.beeper.status", "muted")
}

func visitPyNUT(v *visit) {
	v.on(func(b *stand) {
		path := v.m.file("python3-nut", "usr/lib/python3/dist-packages")
		f, want := v.told(b, "/usr/bin/env", "PYTHONPATH="+path, "/usr/bin/python3", "-B",
			v.m.sources+"/pynut/main.py", b.port, "admin", "secret", "fresh", v.doomed.port)
		v.refused(f, "command that is none", "CMD-NOT-SUPPORTED")
		v.served(f, want, "ups", "var", "rw", "cmd")
		v.did(f, map[string]string{"version": "told", "help": "told", "set": "OK", "command": "OK",
			"fsd": "OK"})
		v.forced("pynut")
		v.arrives(b.desk, "ups.id", "fresh")
		v.arrives(b.desk, "ups.beeper.status", "muted")
	}, v.office, v.plain)
}

// on has a client do its job on some stands. What is wrong begins with the name of the stand.
func (v *visit) on(job func(b *stand), stands ...*stand) {
	for _, b := range stands {
		before := v.complaints
		v.complaints = nil
		job(b)
		for _, c := range v.complaints {
			before = append(before, b.name+c)
		}
		v.complaints = before
	}
}

func visitPerl(v *visit) {
	b := v.office
	f, want := v.told(b, "perl", "-I"+v.m.file("libups-nut-perl", "usr/share/perl5"),
		v.m.sources+"/ups-nut/main.pl", b.port, "admin", "secret", "two words", v.doomed.port)
	v.refused(f, "command that is none", "CMD-NOT-SUPPORTED")
	const described = "error description of a command"
	if strings.Contains(f[described], "Unrecognized response from upsd: CMDDESC desk beeper.mute \"") {
		v.complain("CMDDESC is not understood")
		delete(f, described)
	}
	v.served(f, want, "ups", "var", "rw", "cmd", "desc", "type")
	v.did(f, map[string]string{"status of rack": "ALARM OB LB DISCHRG", "status of desk": "OL CHRG",
		"charge of rack": "12.5", "set": `"two words"`, "command": "1", "master": "1", "login": "1",
		"fsd": "1"})
	v.forced("ups-nut")
	v.arrives(b.desk, "ups.id", "two words")
	v.arrives(b.desk, "ups.beeper.status", "muted")
}

func visitCheckUps(v *visit) {
	b := v.office
	check := func(ups string, more ...string) answer {
		return b.ask(v.m.file("monitoring-plugins-basic", "usr/lib/nagios/plugins/check_ups"),
			append([]string{"-H", "127.0.0.1", "-p", b.port, "-u", ups}, more...)...)
	}
	a := check("desk")
	v.is("the exit code on line", a.code, 0)
	v.says("check_ups", a.out, "UPS OK - Status=Online", "Utility=230.1V", "Batt=99.5%", "Load=23.0%")
	a = check("rack")
	v.is("the exit code on a low battery", a.code, 2)
	v.says("check_ups", a.out, "On Battery, Low Battery", "Batt=12.5%", "Load=71.0%")
	charge := func(warn, critical string) int {
		return check("desk", "-v", "BATTPCT", "-w", warn, "-c", critical).code
	}
	v.is("the exit code for a good charge", charge("90", "80"), 0)
	v.is("the exit code for a low charge", charge("100", "80"), 1)
	v.is("the exit code for a very low charge", charge("100", "100"), 2)
	b.desk.say("INSTCMD test.failure.start\n")
	b.shows("desk", "ups.status", "OB CHRG")
	a = check("desk")
	v.is("the exit code on battery", a.code, 1)
	v.says("check_ups", a.out, "On Battery")
	b.desk.say("INSTCMD test.failure.stop\n")
	b.shows("desk", "ups.status", "OL CHRG")
	v.is("the exit code for a UPS out of reach", check("gone").code, 2)
	v.is("the exit code for an unknown UPS", check("nobody").code, 2)
}

func visitCollectd(v *visit) {
	b := v.office
	root := v.m.file("collectd-core", "")
	// With several threads libupsclient starts its TLS library several times at once, and may crash.
	conf := fmt.Sprintf(`
Hostname "here"
FQDNLookup false
Interval 1
ReadThreads 1
BaseDir %[1]q
PluginDir "%[2]susr/lib/collectd"
TypesDB "%[2]susr/share/collectd/types.db"
LoadPlugin csv
LoadPlugin nut
<Plugin csv>
	DataDir "stdout"
</Plugin>
<Plugin nut>
	UPS %[3]q
	UPS %[4]q
	UPS %[5]q
	ConnectTimeout 5000
</Plugin>
`, v.t.TempDir(), root+"/", b.ups("rack"), b.ups("desk"), b.ups("gone"))
	file := filepath.Join(v.t.TempDir(), "collectd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		v.t.Fatal(err)
	}
	d := b.start(filepath.Join(root, "usr/sbin/collectd"), "-f", "-C", file, "-P", file+".pid")
	for _, series := range []string{"percent-charge", "percent-load", "voltage-battery",
		"voltage-input", "voltage-output", "frequency-input", "frequency-output", "temperature-ups", "timeleft-battery"} {
		for _, ups := range []string{"rack", "desk"} {
			d.waitFor(v.t, "PUTVAL 127.0.0.1/nut-"+ups+"/"+series+" interval=1.000 ")
		}
	}
	for _, want := range []string{"nut-rack/percent-charge 12.5", "nut-desk/percent-charge 99.5",
		"nut-rack/voltage-input 0.0", "nut-desk/voltage-input 230.1", "nut-rack/percent-load 71",
		"nut-desk/timeleft-battery 1800", "nut-desk/temperature-ups 25.5"} {
		series, value, _ := strings.Cut(want, " ")
		_, after, _ := strings.Cut(d.said.String(), series)
		v.says(series, strings.SplitN(after, "\n", 2)[0], ":"+value)
	}
	v.says("collectd", d.said.String(), "(gone) failed: Driver not connected")
}

func visitMunin(v *visit) {
	b := v.office
	dir, wild := v.t.TempDir(), v.m.file("munin-plugins-extra", "usr/share/munin/plugins/nutups_")
	for _, graph := range []struct{ ups, kind, says string }{
		{"desk", "voltages", "battery.value 27.3"}, {"desk", "charge", "charge.value 99.5"},
		{"desk", "charge", "load.value 23"}, {"desk", "freq", "inputfreq.value 50.0"},
		{"rack", "voltages", "battery.value 23.1"}, {"rack", "charge", "charge.value 12.5"},
		{"rack", "charge", "load.value 71"}, {"rack", "freq", "outputfreq.value 50.0"},
	} {
		plugin := filepath.Join(dir, "nutups_"+b.ups(graph.ups)+"_"+graph.kind)
		os.Remove(plugin)
		if err := os.Symlink(wild, plugin); err != nil {
			v.t.Fatal(err)
		}
		run := func(args ...string) string {
			a := b.ask("/usr/bin/env", append([]string{"MUNIN_LIBDIR=" + dir, plugin}, args...)...)
			v.is("the exit code", a.code, 0)
			return a.out
		}
		v.says("the config of "+graph.kind, run("config"), "graph_title", ".label")
		v.says(graph.kind+" of "+graph.ups, run(), graph.says)
	}
}

func visitNodeNut(v *visit) {
	v.on(func(b *stand) {
		dir := v.m.dir + "/node-nut"
		f, want := v.told(b, "node", dir+"/main.js", b.port, "admin", "secret", "fresh", v.doomed.port)
		v.refused(f, "command that is none", "CMD-NOT-SUPPORTED")
		v.served(f, want, "ups", "var", "rw", "cmd", "desc", "type", "cmddesc")
		v.did(f, map[string]string{"user": "OK", "password": "OK", "set": "OK", "command": "OK",
			"master": "OK", "fsd": "OK"})
		v.forced("node-nut")
		v.arrives(b.desk, "ups.id", "fresh")
		v.arrives(b.desk, "ups.beeper.status", "muted")
	}, v.office, v.plain)
}

// visitGoNut returns the visit of a version; an old one waits for ever for the end of a list that
// is refused.
func visitGoNut(name string, old bool) func(v *visit) {
	return func(v *visit) {
		stands := []*stand{v.office, v.near, v.plain}
		if old {
			v.hangs(v.m.dir+"/"+name, v.office.port, "admin", "secret", "two words", v.doomed.port)
			stands = stands[1:]
		}
		v.on(func(b *stand) {
			f, want := v.told(b, v.m.dir+"/"+name, b.port, "admin", "secret", "two words", v.doomed.port)
			v.refused(f, "command that is none", "support the instant command")
			if strings.HasSuffix(f["error list"], "i/o timeout") {
				v.complain("the refusal of a list is not understood")
				delete(f, "error list")
			}
			// It makes numbers and truth values of texts.
			for key, value := range want {
				x, err := strconv.ParseFloat(value, 64)
				if y, err2 := strconv.ParseFloat(f[key], 64); err == nil && err2 == nil && x == y ||
					value == "enabled" && f[key] == "true" {
					f[key] = value
				}
			}
			v.served(f, want, "ups", "var", "rw", "cmd", "desc", "cmddesc")
			v.did(f, map[string]string{"protocol": "1.3", "authenticate": "true", "logins of desk": "0",
				"set": "true", "command": "true", "help": "true", "disconnect": "true", "fsd": "true"})
			v.forced(name)
			v.arrives(b.desk, "ups.id", "two words")
			v.arrives(b.desk, "ups.beeper.status", "muted")
		}, stands...)
	}
}

// patience is how long a client is waited for that is known to hang.
const patience = 3 * time.Second

// hangs runs a client that does not come to an end on the bench with everything.
func (v *visit) hangs(prog string, args ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := exec.CommandContext(ctx, prog, args...).Run(); ctx.Err() != nil {
		v.complain("it never ends")
	} else {
		v.t.Logf("it ended, although a UPS is out of reach: %v", err)
	}
}

func visitTelegraf(v *visit) {
	v.hangs(v.m.dir+"/telegraf", v.office.port, "admin", "secret")
	v.on(func(b *stand) {
		f, want := v.told(b, v.m.dir+"/telegraf", b.port, "admin", "secret")
		v.served(f, want)
		for _, w := range [][2]string{
			{"field rack battery_charge_percent", "12.5"}, {"field desk battery_charge_percent", "99.5"},
			{"field rack load_percent", "71"}, {"field desk load_percent", "23"},
			{"field rack time_left_ns", "90000000000"}, {"field desk time_left_ns", "1800000000000"},
			{"field rack ups_alarm", "Battery is hot"}, {"field desk input_voltage", "230.1"},
			{"field rack firmware", "1.07"}, {"field rack ups_status", "ALARM OB LB DISCHRG"},
			{"field desk ups_beeper_status", "true"}, {"tag rack status_OB", "true"},
			{"tag rack status_LB", "true"}, {"tag desk status_OL", "true"}, {"tag desk model", "Small One"},
			{"tag rack serial", "R1"}, {"field rack ups_model", b.facts()["var rack ups.model"]},
			{"field rack status_flags", "80"}, {"field desk status_flags", "8"},
		} {
			v.is(w[0], f[w[0]], w[1])
		}
	}, v.near, v.plain)
}

func visitNetdata(v *visit) {
	ask := func(b *stand) (f facts, said string) {
		a := b.ask(v.m.dir+"/netdata", b.port, "watcher", "watch")
		return parseFacts(a.out), a.err
	}
	f, said := ask(v.office)
	v.says("netdata", said, "DRIVER-NOT-CONNECTED (cmd: 'LIST VAR gone')")
	if _, there := f["metric ups_rack_battery.charge"]; !there {
		v.complain("it collects nothing")
	}
	v.on(func(b *stand) {
		f, said := ask(b)
		v.is("what it says on standard error", said, "")
		for _, w := range [][2]string{
			{"metric ups_rack_battery.charge", "1250"}, {"metric ups_desk_battery.charge", "9950"},
			{"metric ups_rack_battery.runtime", "9000"}, {"metric ups_desk_input.voltage", "23010"},
			{"metric ups_rack_ups.load", "7100"}, {"metric ups_desk_ups.temperature", "2550"},
			{"metric ups_rack_ups.status.OB", "1"}, {"metric ups_rack_ups.status.LB", "1"},
			{"metric ups_rack_ups.status.OL", "0"}, {"metric ups_desk_ups.status.OL", "1"},
			{"metric ups_desk_ups.status.CHRG", "1"}, {"metric ups_desk_ups.status.other", "0"},
			{"did init", "true"}, {"did check", "true"}, {"label desk device_serial", "D1"},
			{"label rack device_model", b.facts()["var rack device.model"]},
		} {
			v.is(w[0], f[w[0]], w[1])
		}
	}, v.near, v.plain)
}

// shows waits until upsd serves a value that its driver has.
func (b *bench) shows(ups, name, value string) {
	b.t.Helper()
	want, reply := fmt.Sprintf("VAR %s %s %q\n", ups, name, value), ""
	for begin := time.Now(); time.Since(begin) < startLimit; time.Sleep(20 * time.Millisecond) {
		if reply = b.talk("GET VAR " + ups + " " + name + "\n"); strings.HasPrefix(reply, want) {
			return
		}
	}
	b.t.Fatalf("%s is not served: %s", want, reply)
}
