package megatec

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/captures"
	"github.com/blackstart-ups/blackstart/nut/driver"
)

// A row is one line of the reference's tables: a variable in certain columns of a reply, a word of
// the status, an instant command or something that can be set.
type row struct {
	Name   string   `json:"nut"`
	Type   string   `json:"type"` // var, status, alarm, cmd, set
	Send   string   `json:"send"`
	Format string   `json:"format"`
	Conv   string   `json:"conv"`
	From   int      `json:"from"`
	To     int      `json:"to"`
	Flags  []string `json:"flags"`
	Values []string `json:"values"`
}

// rowsOf reads the tables of all protocols, each with its rows.
func rowsOf(t *testing.T) map[string][]row {
	t.Helper()
	dir := filepath.Join(filepath.Dir(captures.Dir(t, ".")), "reference")
	text, err := os.ReadFile(filepath.Join(dir, "qx-map.json"))
	if err != nil {
		t.Skipf("no reference in %q: %v", dir, err)
	}
	var file struct {
		Protocols []struct {
			Protocol string
			Rows     []row
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string][]row{}
	for _, p := range file.Protocols {
		all[p.Protocol] = p.Rows
	}
	return all
}

// otherwise are the rows that this driver has in another way, or not, with the reason. A key is a
// protocol and a name; the protocol may be missing.
var otherwise = map[string]string{
	"ups.alarm voltronic 67":       "what regulates is a word of ups.status, for all variants",
	"unknown.7 voltronic":          "nobody knows what it is, and NUT does not ask for it either",
	"battery.charge ablerex":       "the charge is guessed from the voltage, as in the other dialects",
	"battery.voltage.low ablerex":  "with Q5 what that says, else guessed as in the other dialects",
	"battery.voltage.high ablerex": "guessed as in the other dialects: at NUT's it never gets full",

	"ups.power masterguard":              "computed of the load and the model",
	"output.current masterguard":         "computed of the load and the model",
	"output.current.nominal masterguard": "computed of the voltage and the model",
	"battery.voltage masterguard":        "computed of the voltage and the number of cells",
	"ups.delay.start masterguard":        "the four digits of the command are seconds: at most 9999",
}

// Every row of the reference is known: the driver asks the question and finds the value in the
// columns that the row names, has the command with the row's bytes, and can set what can be set.
func TestEveryRowIsKnown(t *testing.T) {
	all := rowsOf(t)
	counts, used := map[string]int{}, map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d, ok := dialectBy(named(name))
		if !ok {
			t.Errorf("no dialect %s", name)
			continue
		}
		for _, r := range all[name] {
			err := r.known(d)
			key := r.Name + " " + name
			if r.Type == "alarm" || r.Type == "status" {
				key += " " + strconv.Itoa(r.From)
			}
			switch _, listed := otherwise[key]; {
			case err == nil:
				counts["known "+r.Type]++
			case listed:
				used[key] = true
				counts["otherwise"]++
			default:
				counts["missing"]++
				t.Errorf("%s: %s %s (%q, columns %d to %d): %v", name, r.Type, r.Name, r.Send, r.From, r.To, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d, _ := dialectBy(named(name))
		for _, o := range d.orders {
			key := o.name + " " + name
			if !slices.ContainsFunc(all[name], func(r row) bool { return r.Name == o.name }) {
				used[key] = true
				if otherwise[key] == "" {
					t.Errorf("%s has a command %s that the reference does not know", name, o.name)
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(otherwise)) {
		if !used[key] {
			t.Errorf("%q is listed as different and is not", key)
		}
	}
	t.Logf("%d protocols: %v", len(all), counts)
}

// known returns what of the row the dialect lacks.
func (r row) known(d dialect) error {
	switch {
	case r.Type == "cmd":
		return r.knownCommand(d)
	case r.Type == "set":
		return r.knownSetting(d)
	case slices.Contains(r.Flags, "nonut"):
		if err := r.knownReply(d); err != nil {
			return r.knownOption()
		}
		return nil
	case r.Send == "":
		if !slices.ContainsFunc(d.fixed, func(v value) bool { return v.variable == r.Name }) {
			return fmt.Errorf("no such fixed value")
		}
		return nil
	}
	return r.knownReply(d)
}

// standing are the values that commands are made of here, with those of NUT.
func (r row) call(d dialect) call {
	c := call{program: qx, Delays: Delays{Shutdown: 30 * time.Second, Start: 3 * time.Minute},
		state: func(name string) string {
			return map[string]string{"ups.firmware.aux": p98, "ups.beeper.status": "enabled"}[name]
		}}
	if d.name == "masterguard" && r.Name == "test.battery.start" {
		c.value = "600"
	}
	return c
}

func (r row) knownCommand(d dialect) error {
	at := slices.IndexFunc(d.orders, func(o order) bool { return o.name == r.Name })
	if at < 0 {
		return fmt.Errorf("no such command")
	}
	wire, err := d.orders[at].wire(r.call(d))
	if err != nil {
		return err
	}
	return r.begins(wire[strings.LastIndex(wire, "\n")+1:])
}

// begins compares what goes over the wire with the row, as far as the row knows it.
func (r row) begins(wire string) error {
	want, _, open := strings.Cut(strings.TrimSuffix(r.Send, "\r"), "%")
	if !open && wire != want && want != "" || !strings.HasPrefix(wire, want) {
		return fmt.Errorf("it sends %q", wire)
	}
	return nil
}

func (r row) knownSetting(d dialect) error {
	if slices.Contains(r.Flags, "nonut") {
		return r.knownOption()
	}
	at := slices.IndexFunc(d.settings, func(s setting) bool { return s.variable == r.Name })
	if at < 0 {
		return fmt.Errorf("cannot be set")
	}
	s := d.settings[at]
	if s.wire == nil {
		form := s.limits(func(string) string { return "" })
		if len(r.Values) == 2 && fmt.Sprint(form.Ranges[0].Min, form.Ranges[0].Max) !=
			strings.Join(r.Values, " ") {
			return fmt.Errorf("has the limits %v, not %v", form.Ranges[0], r.Values)
		}
		return nil
	}
	value := "1"
	if len(s.form.Enum) > 0 {
		value = s.form.Enum[0]
	}
	wire, err := s.wire(value)
	if err != nil {
		return err
	}
	return r.begins(wire)
}

// knownOption is for what is an option and no variable: a preset that the device keeps, a value
// that NUT writes nowhere but in its log.
func (r row) knownOption() error {
	key := strings.TrimPrefix(r.Name, "experimental.")
	if !slices.ContainsFunc(Spec.Options, func(o driver.Option) bool { return o.Key == key }) {
		return fmt.Errorf("no option %s", key)
	}
	return nil
}

// knownReply reads a sample reply, and looks for the value that stands in the row's columns.
func (r row) knownReply(d dialect) error {
	cmd := strings.TrimSuffix(r.Send, "\r")
	sample, ok := samples[d.name+" "+cmd]
	if !ok {
		sample, ok = samples[cmd]
	}
	if !ok {
		return fmt.Errorf("the test has no sample reply to %q", cmd)
	}
	got, err := read(d, cmd, sample)
	if err != nil {
		return err
	}
	if r.Type != "var" {
		return r.knownBit(d, cmd, sample)
	}
	v, ok := got[r.Name]
	if !ok {
		return fmt.Errorf("%q tells %v, and no such value", sample, got)
	}
	if want, ok := r.plain(sample); ok && !sameNumber(v, want) {
		return fmt.Errorf("%q, want %q of %q", v, want, sample)
	}
	return nil
}

// read decodes a reply by all queries of the dialect that send cmd.
func read(d dialect, cmd, sample string) (map[string]string, error) {
	got, found := map[string]string{}, false
	for _, q := range slices.Concat([]query{d.status}, d.also, d.slow, d.once, d.claim) {
		if q.send != cmd {
			continue
		}
		found = true
		var r reading
		if err := q.read([]byte(sample), &r); err != nil {
			return nil, err
		}
		if r.later != nil {
			r.values = append(r.values, r.later(func(string) string { return "230" })...)
		}
		for _, v := range r.values {
			got[v.variable] = v.text
		}
		if _, told := got["ups.status"]; !told { // of variants of a dialect that of the first
			got["ups.status"] = strings.Join(append(r.Words(false), r.words...), " ")
			got["ups.alarm"] = strings.Join(append(r.Alarms(false), r.alarms...), " ")
		}
	}
	if !found {
		return nil, fmt.Errorf("%s is not asked", cmd)
	}
	for _, s := range d.settings { // what the limits of a setting are
		if _, ok := got[s.variable]; ok && !s.hidden {
			got[s.variable+".min"], got[s.variable+".max"] = "", ""
		}
	}
	return got, nil
}

// plain is the number in the row's columns, where nothing is computed of it.
func (r row) plain(sample string) (string, bool) {
	if r.Conv != "" && r.Conv != "qx_multiply_battvolt" || !strings.HasSuffix(r.Format, "f") {
		return "", false
	}
	to := r.To + 1
	if r.To == 0 || to > len(sample) {
		to = len(sample)
	}
	return strings.TrimSpace(sample[min(r.From, to):to]), true
}

func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x-y < 0.51 && y-x < 0.51
}

// knownBit changes what stands in the row's columns until the status or an alarm changes. Columns
// behind the end are those of a raw reply written as text: then any byte may be the one.
func (r row) knownBit(d dialect, cmd, sample string) error {
	from, to := r.From, max(r.From, r.To)
	if r.To == 0 {
		to = len(sample) - 1
	}
	if from >= len(sample) {
		from, to = 1, len(sample)-1
	}
	said := map[string]bool{}
	for at := from; at <= to; at++ {
		for _, c := range "01PSYLBTFEDCHGNJKA\x40\x80" {
			changed := []byte(sample)
			changed[at] = byte(c)
			got, err := read(d, cmd, string(changed))
			if err == nil {
				said[got[r.Name]] = true
			}
		}
	}
	if len(said) < 2 {
		return fmt.Errorf("nothing in columns %d to %d of %q changes it", from, to, sample)
	}
	return nil
}
