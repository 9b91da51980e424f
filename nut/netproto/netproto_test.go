package netproto

import "testing"

func TestRequest(t *testing.T) {
	tests := []struct {
		name  string
		words []string
		want  string
	}{
		{"plain words go as they are", []string{"GET", "VAR", "rack", "ups.status"}, "GET VAR rack ups.status\n"},
		{"a blank wants quotes (NP-X2)", []string{"SET", "VAR", "u", "ups.id", "x y"}, "SET VAR u ups.id \"x y\"\n"},
		{"an empty word wants quotes", []string{"PASSWORD", ""}, "PASSWORD \"\"\n"},
		{"quotes, backslashes and hashes are escaped", []string{"PASSWORD", `a"b\c#d`}, `PASSWORD a\"b\\c\#d` + "\n"},
		{"an equal sign would be a word of its own", []string{"PASSWORD", "a=b"}, "PASSWORD \"a=b\"\n"},
		{"nobody can smuggle in a second request", []string{"PASSWORD", "a\nFSD u"}, "PASSWORD \"aFSD u\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Request(tt.words...); got != tt.want {
				t.Errorf("Request(%q) = %q, want %q", tt.words, got, tt.want)
			}
		})
	}
}

func TestReplies(t *testing.T) {
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"a value with everything (NP-T6)", AppendValue(nil, "VAR", "u", "ups.mfr", `Quo"te \ back # hash`),
			`VAR u ups.mfr "Quo\"te \\ back \# hash"` + "\n"},
		{"bounds of a range are quoted (NP-L5)", AppendRange(nil, "u", "battery.charge.low", -10, 30),
			`RANGE u battery.charge.low "-10" "30"` + "\n"},
		{"a list begins with its query (NP-L1)", AppendList(nil, "BEGIN", "ENUM", "u", "x"), "BEGIN LIST ENUM u x\n"},
		{"a description", AppendText(nil, "UPS", "u", "Lab UPS one"), `UPS u "Lab UPS one"` + "\n"},
		{"a command", AppendPlain(nil, "CMD", "u", "load.off"), "CMD u load.off\n"},
		{"an error", AppendErr(nil, DataStale), "ERR DATA-STALE\n"},
	}
	for _, tt := range tests {
		if string(tt.got) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		words []string
		want  Err
		text  string
	}{
		{[]string{"ERR", "DATA-STALE"}, DataStale, "Data stale"},
		{[]string{"ERR", "ACCESS-DENIED", "and", "why"}, AccessDenied, "Access denied"},
		{[]string{"ERR", "OF-THE-FUTURE"}, "OF-THE-FUTURE", "Unknown error"},
		{[]string{"ERR"}, "", "Unknown error"},
	}
	for _, tt := range tests {
		got, ok := AsError(tt.words)
		if !ok || got != tt.want || got.Error() != tt.text {
			t.Errorf("AsError(%q) = %q (%v), %v; want %q (%s)", tt.words, string(got), got, ok, string(tt.want), tt.text)
		}
	}
	for _, words := range [][]string{nil, {"OK"}, {"VAR", "ERR"}, {"err", "X"}} {
		if got, ok := AsError(words); ok {
			t.Errorf("AsError(%q) = %q, true; want no error", words, string(got))
		}
	}
}
