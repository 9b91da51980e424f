package upsc

import (
	"fmt"
	"io"
	"strings"
)

// A printer prints a list: lines as they come, JSON when it is complete.
type printer struct {
	out    io.Writer
	whole  strings.Builder // the JSON so far
	json   bool
	object bool
	rows   int
}

func (p *printer) begin(object bool) { p.object = object }

// open writes what stands before a row of JSON.
func (p *printer) open() {
	p.rows++
	switch {
	case p.rows > 1:
		p.whole.WriteString(",\n  ")
	case p.object:
		p.whole.WriteString("{\n  ")
	default:
		p.whole.WriteString("[\n  ")
	}
}

func (p *printer) item(s string) {
	if !p.json {
		fmt.Fprintln(p.out, s)
		return
	}
	p.open()
	p.whole.WriteString(quote(s))
}

func (p *printer) pair(name, value string) {
	if !p.json {
		fmt.Fprintf(p.out, "%s: %s\n", name, value)
		return
	}
	p.open()
	fmt.Fprintf(&p.whole, "%s: %s", quote(name), quote(value))
}

// end ends the list. An error takes the place of JSON that is not complete.
func (p *printer) end(err error) error {
	brackets := "[]"
	if p.object {
		brackets = "{}"
	}
	switch {
	case !p.json || err != nil:
	case p.rows == 0: // an empty line inside, as ever
		fmt.Fprintf(p.out, "%c\n\n%c\n", brackets[0], brackets[1])
	default:
		fmt.Fprintf(p.out, "%s\n%c\n", p.whole.String(), brackets[1])
	}
	return err
}

// quote is a JSON string. Characters that are not ASCII stay as they are.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
