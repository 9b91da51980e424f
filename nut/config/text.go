package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// text builds a file.
type text struct{ strings.Builder }

// put writes a directive.
func (t *text) put(name string, words ...any) {
	t.WriteString(name)
	for _, w := range words {
		t.WriteByte(' ')
		switch v := w.(type) {
		case time.Duration:
			fmt.Fprint(t, int64(v/time.Second))
		case bool:
			t.WriteString(digit(v))
		case string:
			t.WriteString(word(v))
		default:
			fmt.Fprint(t, v)
		}
	}
	t.WriteByte('\n')
}

// putSome writes a directive unless its value is empty.
func (t *text) putSome(name, value string) {
	if value != "" {
		t.put(name, value)
	}
}

// anys are words as put takes them.
func anys(words []string) []any {
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return list
}

// digit is a truth as every program reads it.
func digit(v bool) string {
	if v {
		return "1"
	}
	return "0"
}

// plainBytes need no quotes.
const plainBytes = letters + "0123456789_-./:@%+,*[]{}()!?;&~^$<>|"

// word writes a word, in quotes where needed.
func word(s string) string {
	if s != "" && strings.Trim(s, plainBytes) == "" {
		return s
	}
	return line.QuoteText(s)
}
