package line

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote writes a word in double quotes, so that every reader reads it back. Bytes that a reader
// would drop are left out: a line feed in a value must not reach programs that read line by line.
func Quote(s string) string {
	return string(AppendQuote(make([]byte, 0, len(s)+2), s))
}

// AppendQuote appends a word as Quote writes it.
func AppendQuote(b []byte, s string) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

// Escape is Quote without the quotes.
func Escape(s string) string { return string(appendEscaped(make([]byte, 0, len(s)), s)) }

func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > 0x7f:
			continue
		case c == '"' || c == '\\' || c == '#':
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return b
}

// QuoteText writes a word for a file, in double quotes: like Quote, but text beyond ASCII stays.
func QuoteText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, w := 0, 0; i < len(s); i += w {
		var r rune
		r, w = utf8.DecodeRuneInString(s[i:])
		if !isText(r, w) {
			continue
		}
		if r == '"' || r == '\\' || r == '#' {
			b.WriteByte('\\')
		}
		b.WriteString(s[i : i+w])
	}
	b.WriteByte('"')
	return b.String()
}

// ASCII returns what programs of NUT see of a word: bytes beyond ASCII are gone.
func ASCII(s string) string {
	for i := range len(s) {
		if s[i] > 0x7f {
			return strings.Map(func(r rune) rune {
				if r > 0x7f {
					return -1
				}
				return r
			}, s)
		}
	}
	return s
}

// isText reports whether a decoded character of a file is kept. Invisible ones, which come from
// web pages by copy and paste, are not.
func isText(r rune, width int) bool {
	switch {
	case r == utf8.RuneError && width <= 1:
		return false
	case r <= 0x7f:
		return r >= ' '
	}
	return unicode.IsPrint(r)
}
