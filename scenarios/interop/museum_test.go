package interop

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// An exhibit is a client that others wrote.
type exhibit struct {
	name string
	does string
	// made makes the client runnable, from what is installed or by fetching it, and returns its
	// version.
	made func(m *museum) (version string, err error)
	// visit has the client do its whole job on the server.
	visit func(v *visit)
	own   []limit
}

// A limit is what a client cannot do, whatever the server: it must show on Debian's upsd as well.
type limit struct {
	why        string
	complaints []string
}

// museumFiles configure the site that clients are shown: a UPS in trouble whose texts want escapes,
// a healthy one, and one whose driver does not run.
var museumFiles = map[string]string{
	"ups.conf": `
pollinterval = 1
[rack]
	driver = dummy-ups
	port = rack.dev
	desc = "The \"big\" one \\ cellar"
[desk]
	driver = dummy-ups
	port = desk.dev
	desc = "Under the desk"
[gone]
	driver = dummy-ups
	port = gone.dev
	desc = "In the shop"
`,
	"upsd.conf": "LISTEN 127.0.0.1 @port@\nMAXAGE 15\n",
	"upsd.users": `
[admin]
	password = secret
	actions = SET FSD
	instcmds = ALL
	upsmon primary
[watcher]
	password = watch
	upsmon secondary
`,
	"rack.dev": `
ups.status: OB LB DISCHRG
ALARM Battery is hot
ups.mfr: Acme
ups.model: "Quo\"te \\ back \# hash"
ups.serial: R1
ups.firmware: 1.07
ups.load: 71
ups.temperature: 41.5
battery.charge: 12.5
battery.runtime: 90
battery.voltage: 23.1
input.voltage: 0.0
input.frequency: 0.0
output.voltage: 229.8
output.frequency: 50.0
`,
	"desk.dev": `
ups.status: OL CHRG
ups.mfr: Acme
ups.model: Small One
ups.serial: D1
ups.firmware: 2.00
ups.id: initial
ups.beeper.status: enabled
ups.load: 23
ups.temperature: 25.5
battery.charge: 99.5
battery.runtime: 1800
battery.voltage: 27.3
input.voltage: 230.1
input.frequency: 50.0
output.voltage: 230.0
output.frequency: 50.0
`,
}

// descriptions are what ups.conf says of the UPSes.
var descriptions = map[string]string{
	"rack": `The "big" one \ cellar`, "desk": "Under the desk", "gone": "In the shop",
}

// inReach are the same files and descriptions without the UPS that is out of reach, which some
// clients cannot stand.
func inReach(files, descs map[string]string) (f, d map[string]string) {
	f, d = maps.Clone(files), maps.Clone(descs)
	f["ups.conf"], _, _ = strings.Cut(f["ups.conf"], "[gone]")
	delete(d, "gone")
	return f, d
}

// plain are the same files and descriptions without texts that want escapes, which some clients
// cannot stand.
func plain(files, descs map[string]string) (f, d map[string]string) {
	f, d = maps.Clone(files), maps.Clone(descs)
	f["ups.conf"] = strings.ReplaceAll(f["ups.conf"], `The \"big\" one \\ cellar`, "The big one")
	f["rack.dev"] = strings.ReplaceAll(f["rack.dev"], `"Quo\"te \\ back \# hash"`, "Big One")
	d["rack"] = "The big one"
	return f, d
}

// A museum holds what the clients are made of.
type museum struct {
	dir     string // of the built clients
	sources string // of the folder museum
	stores  map[string]*store
	mu      sync.Mutex
}

// makers is how many clients are made at once: compilers are large.
const makers = 2

// A store is a set of Debian packages unpacked for the museum.
type store struct {
	once     sync.Once
	versions string
	err      error
}

// museumTable is what came out, for the end of the log.
var museumTable bytes.Buffer

// Every client of others does its whole job on our upsd, and the same job on Debian's, which tells
// the client's own limits from ours. The driver is ours both times: what was set and ordered is
// looked up there.
func TestMuseum(t *testing.T) {
	t.Parallel()
	if os.Getenv("BLACKSTART_INTEROP") != "required" {
		t.Skip("the museum fetches its clients: make interop does (BLACKSTART_INTEROP=required)")
	}
	ours, theirs := kits(t)
	m := &museum{dir: t.TempDir(), stores: map[string]*store{}}
	var err error
	if m.sources, err = filepath.Abs("museum"); err != nil {
		t.Fatal(err)
	}
	ready := m.makeAll(exhibits)
	reference, home := newVenue(t, theirs, ours.dummy), newVenue(t, ours, ours.dummy)
	w := tabwriter.NewWriter(&museumTable, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "client\tversion\tdoes\tagainst ours\tagainst Debian's\tlimits of its own")
	for i, x := range exhibits {
		t.Run(x.name, func(t *testing.T) {
			made := <-ready[i]
			if made.err != nil {
				t.Fatal(made.err)
			}
			there, here := reference.show(t, m, x), home.show(t, m, x)
			x.judge(t, here, there)
			_, why := x.limits()
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.name, made.version, x.does, x.verdict(here),
				x.verdict(there), why)
		})
	}
	w.Flush()
}

// judge fails for complaints about our upsd that are not due to the client, and for limits of the
// client that are none.
func (x exhibit) judge(t *testing.T, ours, debian []string) {
	t.Helper()
	own, _ := x.limits()
	for _, c := range without(ours, own) {
		t.Errorf("on our upsd: %s", c)
	}
	for _, c := range without(own, ours) {
		t.Errorf("is no limit of the client, our upsd makes it happy: %s", c)
	}
	for _, c := range without(own, debian) {
		t.Errorf("is no limit of the client, Debian's upsd makes it happy: %s", c)
	}
	for _, c := range without(debian, own) {
		t.Logf("on Debian's upsd: %s", c)
	}
}

// limits returns all complaints that are due to the client, and why.
func (x exhibit) limits() (complaints []string, why string) {
	var reasons []string
	for _, l := range x.own {
		complaints = append(complaints, l.complaints...)
		reasons = append(reasons, l.why)
	}
	return complaints, strings.Join(reasons, "; ")
}

// verdict sums up a visit.
func (x exhibit) verdict(complaints []string) string {
	own, _ := x.limits()
	if n := len(without(complaints, own)); n > 0 {
		return fmt.Sprintf("%d wrong", n)
	}
	if len(own) > 0 {
		return "all it can"
	}
	return "all"
}

// without returns the elements of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// A making is how an exhibit came to be.
type making struct {
	version string
	err     error
}

// makeAll makes the clients, in the order of the table.
func (m *museum) makeAll(all []exhibit) []chan making {
	ready := make([]chan making, len(all))
	next := make(chan int, len(all))
	for i := range all {
		ready[i] = make(chan making, 1)
		next <- i
	}
	close(next)
	for range makers {
		go func() {
			for i := range next {
				version, err := all[i].made(m)
				ready[i] <- making{version, err}
			}
		}()
	}
	return ready
}

// A venue is a server with its drivers: with all that museumFiles say, with all UPSes in reach,
// with plain texts too, and one with a UPS for each client that sets FSD, which stays set.
type venue struct {
	office, near, plain *stand
	doomed              *bench
}

// A stand is one of the first three: the bench that clients talk to, and the drivers behind it.
type stand struct {
	*bench
	name         string
	rack, desk   *tap
	descriptions map[string]string
}

func newVenue(t *testing.T, server kit, driver string) *venue {
	files, descs := museumFiles, descriptions
	x := &venue{doomed: newDoomed(t, server, driver)}
	x.office = newStand(t, "", server, driver, files, descs)
	files, descs = inReach(files, descs)
	x.near = newStand(t, nearby, server, driver, files, descs)
	files, descs = plain(files, descs)
	x.plain = newStand(t, "plain: ", server, driver, files, descs)
	return x
}

// doomed are the clients that can set FSD, and the names of the UPSes they do it to.
var doomed = []string{"libnutclient", "pynut", "ups-nut", "node-nut", "gonut2022", "gonut2024"}

func newDoomed(t *testing.T, server kit, driver string) *bench {
	conf := ""
	for _, name := range doomed {
		conf += fmt.Sprintf("[%s]\n\tdriver = dummy-ups\n\tport = ups.dev\n", name)
	}
	b := newBench(t, map[string]string{"ups.conf": conf, "upsd.conf": museumFiles["upsd.conf"],
		"upsd.users": museumFiles["upsd.users"], "ups.dev": "ups.status: OL\n"})
	b.drivers(driver, doomed...)
	b.serve(server, doomed...)
	return b
}

func newStand(t *testing.T, name string, server kit, driver string, files, descs map[string]string,
) *stand {
	b := newBench(t, files)
	b.drivers(driver, "rack", "desk")
	b.serve(server, "rack", "desk")
	return &stand{b, name, newTap(b, driver, "rack"), newTap(b, driver, "desk"), descs}
}

// forTest is the same stand for the clients of a subtest.
func (s stand) forTest(t *testing.T) *stand {
	s.bench = &bench{t: t, dir: s.dir, conf: s.conf, run: s.run, port: s.port}
	t.Cleanup(func() {
		s.stop()
		s.daemons = nil
	})
	return &s
}

// facts are what a client should read.
func (s *stand) facts() facts {
	f := facts{}
	s.rack.facts("rack", f)
	s.desk.facts("desk", f)
	for name, desc := range s.descriptions {
		f["ups "+name] = desc
	}
	return f
}

// stop ends the clients that were started: the next one may want their place.
func (s *stand) stop() {
	s.bench.stop()
	s.daemons = nil
}

// show has an exhibit do its job and returns what was wrong.
func (x *venue) show(t *testing.T, m *museum, e exhibit) []string {
	t.Helper()
	v := &visit{t: t, m: m, office: x.office.forTest(t), near: x.near.forTest(t),
		plain: x.plain.forTest(t), doomed: x.doomed}
	v.reset()
	e.visit(v)
	v.office.stop()
	slices.Sort(v.complaints)
	return slices.Compact(v.complaints)
}

// A visit is one client on one server.
type visit struct {
	t          *testing.T
	m          *museum
	office     *stand // with everything
	near       *stand // see inReach
	plain      *stand // and plain
	doomed     *bench
	complaints []string
}

// reset puts the desk's UPS back to what its file says.
func (v *visit) reset() {
	for _, s := range []*stand{v.office, v.near, v.plain} {
		for _, request := range []string{"SET ups.id initial", "INSTCMD beeper.enable"} {
			if err := s.desk.do(request); err != nil {
				v.t.Fatalf("%s: %v", request, err)
			}
		}
		v.arrives(s.desk, "ups.id", "initial")
		v.arrives(s.desk, "ups.beeper.status", "enabled")
	}
}

// arrives waits until the driver has a value.
func (v *visit) arrives(at *tap, name, value string) {
	v.t.Helper()
	if err := at.wait(name, value); err != nil {
		v.complain("at the driver: %v", err)
	}
}

func (v *visit) complain(format string, args ...any) {
	v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
}

// says complains unless a text holds all parts.
func (v *visit) says(what, text string, parts ...string) {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			v.complain("%s does not say %q", what, part)
			v.t.Logf("%s: %.2000s", what, text)
		}
	}
}

// is complains unless two values are the same.
func (v *visit) is(what string, got, want any) {
	if got != want {
		v.complain("%s is %v, want %v", what, got, want)
	}
}

// Facts are what a library's client has told: the last word of each line by the words before it.
type facts map[string]string

// someText stands for any text in facts that are wanted.
const someText = "*"

// parseFacts reads the lines of a client: words parted by tabs, the last being the value.
func parseFacts(out string) facts {
	f := facts{}
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		i := max(0, strings.LastIndexByte(line, '\t'))
		f[strings.ReplaceAll(line[:i], "\t", " ")] = strings.TrimPrefix(line[i:], "\t")
	}
	return f
}

// told runs a library's client and returns its facts, and those that it should have told.
func (v *visit) told(b *stand, prog string, args ...string) (f, want facts) {
	v.t.Helper()
	want = b.facts()
	a := b.ask(prog, args...)
	if a.code != 0 || a.err != "" {
		v.complain("the client ended with %d: %s", a.code, strings.TrimSpace(a.err))
	}
	return parseFacts(a.out), want
}

// forced checks that a client's UPS has got FSD.
func (v *visit) forced(name string) {
	status := strings.SplitAfter(v.doomed.talk("GET VAR "+name+" ups.status\n"), "\n")[0]
	v.is("the status after FSD", status, "VAR "+name+" ups.status \"FSD OL\"\n")
}

// refused checks that a step of the client failed, as it should, with a text.
func (v *visit) refused(f facts, step, text string) {
	key := "error " + step
	if !strings.Contains(f[key], text) {
		v.complain("%s should fail with %s, not %q", step, text, f[key])
	}
	delete(f, key)
}

// served checks the facts of some kinds: ups, var, rw and cmd are what the drivers have, the texts
// of desc, cmddesc and type are not empty. Every error counts.
func (v *visit) served(f, want facts, kinds ...string) {
	for _, key := range sortedKeys(want) {
		kind, _, _ := strings.Cut(key, " ")
		got, there := f[key]
		switch {
		case !slices.Contains(kinds, kind):
		case !there:
			v.complain("%s is missing", key)
		case want[key] == someText && (got == "" || strings.HasPrefix(got, "ERR")):
			v.complain("%s is %q", key, got)
		case want[key] != someText && got != want[key]:
			v.complain("%s is %q, want %q", key, got, want[key])
		}
	}
	for _, key := range sortedKeys(f) {
		kind, _, _ := strings.Cut(key, " ")
		if _, ok := want[key]; !ok && slices.Contains(kinds, kind) {
			v.complain("%s is told and not there", key)
		}
		if kind == "error" {
			v.complain("%s: %s", key, f[key])
		}
	}
}

// did checks what a library's client says that it did.
func (v *visit) did(f facts, want map[string]string) {
	for _, what := range sortedKeys(want) {
		v.is(what, f["did "+what], want[what])
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare)
	return keys
}

// apt unpacks Debian packages, and returns their folder and the version of the first.
func (m *museum) apt(packages ...string) (dir, version string, err error) {
	key := strings.Join(packages, " ")
	dir = filepath.Join(m.dir, "apt-"+packages[0])
	m.mu.Lock()
	s := m.stores[key]
	if s == nil {
		s = &store{}
		m.stores[key] = s
	}
	m.mu.Unlock()
	s.once.Do(func() {
		if s.err = os.Mkdir(dir, 0o755); s.err == nil {
			s.versions, s.err = m.run("../../.ci/unpack", append([]string{dir}, packages...)...)
		}
	})
	for line := range strings.Lines(s.versions) {
		if rest, ok := strings.CutPrefix(line, packages[0]+" "); ok {
			version = strings.TrimSpace(rest)
		}
	}
	return dir, version, s.err
}

// run runs a command that makes something and returns what it printed.
func (m *museum) run(prog string, args ...string) (string, error) {
	return m.runIn("", prog, args...)
}

func (m *museum) runIn(dir, prog string, args ...string) (string, error) {
	cmd := exec.Command(prog, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0",
		"GOMAXPROCS=2")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", prog, strings.Join(args, " "), err, &errOut)
	}
	return out.String(), nil
}

// goBuild builds the client in a folder of the museum, which is a module of its own, and returns
// the version of a module that it uses.
func (m *museum) goBuild(name, module string) (string, error) {
	dir := filepath.Join(m.sources, name)
	_, err := m.runIn(dir, "go", "build", "-p", "2", "-o", filepath.Join(m.dir, name), ".")
	if err != nil {
		return "", err
	}
	version, err := m.runIn(dir, "go", "list", "-m", "-f", "{{.Version}}", module)
	return strings.TrimSpace(version), err
}
