package check

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// fataler is what *testing.T and *rapid.T have in common here.
type fataler interface{ Fatal(...any) }

func writeAll(t fataler, events []env.Event) *bytes.Buffer {
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, ev := range events {
		if err := w.Write(ev); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func TestARunComesBackFromItsLines(t *testing.T) {
	events := outage()
	got, err := ReadAll(writeAll(t, events))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, events) {
		t.Error("the run has changed")
	}
	if Hash(got) != Hash(events) {
		t.Error("its hash has changed")
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	good := `{"t":1,"kind":"mark","name":"a"}` + "\n"
	tests := []struct {
		claim, text string
		events      int
		want        string
	}{
		{"no lines", "", 0, ""},
		{"empty lines are passed over", "\n" + good + "\n\n" + good, 2, ""},
		{"a field of the future is passed over", `{"t":1,"kind":"mark","mood":[1,{"a":2}]}`, 1, ""},
		{"a last line without its end", strings.TrimSpace(good), 1, ""},
		{"a torn line",
			good + good + `{"t":2,"ki`, 2, `line 3: want an event, got "{\"t\":2,\"ki"`},
		{"no object", good + "17\n", 1, `line 2: want an event, got "17"`},
		{"a time that is text", `{"t":"soon"}`, 0, "line 1: want an event"},
		{"a line without end",
			good + strings.Repeat("x", maxLine+1), 1, "line 2: longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			events, err := ReadAll(strings.NewReader(tt.text))
			if len(events) != tt.events {
				t.Errorf("%d events, want %d", len(events), tt.events)
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if tt.want == "" != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReadingCanStop(t *testing.T) {
	n := 0
	for range Read(writeAll(t, outage())) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("read %d events, want 3", n)
	}
}

func TestMergeKeepsTheOrderWithinAStream(t *testing.T) {
	mark := func(s float64,
		name string) env.Event {
		return env.Event{T: sec(s), Kind: env.Mark, Name: name}
	}
	all := Merge([]env.Event{mark(1, "a"), mark(2, "b"), mark(2, "c")},
		[]env.Event{mark(0, "d"), mark(2, "e")})
	var got strings.Builder
	for _, ev := range all {
		got.WriteString(ev.Name)
	}
	if got.String() != "dabce" {
		t.Errorf("merged %s, want dabce", got.String())
	}
}

func TestTheHashIsOfEveryField(t *testing.T) {
	base := env.Event{T: 1, Host: "h", Prog: "p", Kind: "k", UPS: "u", Name: "n", Value: "v", N: 2,
		Why: "w"}
	typ := reflect.TypeFor[env.Event]()
	seen := map[string]string{Hash([]env.Event{base}): "no field"}
	for i := range typ.NumField() {
		ev := base
		switch f := reflect.ValueOf(&ev).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString("other")
		case reflect.Int64:
			f.SetInt(99)
		default:
			t.Fatalf("field %s is a %s: appendCanonical and fields do not know it",
				typ.Field(i).Name, f.Kind())
		}
		h := Hash([]env.Event{ev})
		if other, ok := seen[h]; ok {
			t.Errorf("changing %s gives the hash of changing %s", typ.Field(i).Name, other)
		}
		seen[h] = typ.Field(i).Name
		if x := Replay([]env.Event{base}, []env.Event{ev}); x == nil || strings.HasSuffix(x.Text,
			"(other nobody)") {
			t.Errorf("Replay does not name a change of %s: %v", typ.Field(i).Name, x)
		}
	}
}

func TestTheHashDoesNotChangeBetweenVersions(t *testing.T) {
	const want = "97bb8ddd"
	if got := Hash(toldOutage()); !strings.HasPrefix(got, want) {
		t.Errorf("hash %.8s, want %s: recorded hashes are worthless now", got, want)
	}
}

func TestReplayNamesTheFirstDifference(t *testing.T) {
	events := outage()
	other := changed(events, func(ev *env.Event) { ev.Value = "OB DISCHRG" }, host("db"),
		kind(env.Status), between(104, 104))
	tests := []struct {
		claim         string
		first, second []env.Event
		want          string
	}{
		{"equal runs", events, events, ""},
		{"no runs", nil, nil, ""},
		{"another status",
			events, other, `the first run has +00:01:44.000 db upsmon status rack@nas "OB", ` +
				`the second +00:01:44.000 db upsmon status rack@nas "OB DISCHRG" (other value)`},
		{"the event before is named",
			events, other, "after +00:01:42.000 nas upsmon notify rack@nas ONBATT"},
		{"a run that goes on",
			events[:10], events, "the first run has ended, the second goes on with"},
		{"a run that ends early",
			events, events[:10], "the second run has ended, the first goes on with"},
		{"a run that did not begin", nil, events, "event 1 at the start"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			x := Replay(tt.first, tt.second)
			switch {
			case tt.want == "" && x != nil:
				t.Errorf("found %v, want nothing", x)
			case tt.want != "" && (x == nil || x.ID != "C01" || !strings.Contains(x.Text, tt.want)):
				t.Errorf("found %v, want C01 with %q", x, tt.want)
			}
		})
	}
}
