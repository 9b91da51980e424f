package upsrw

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/client/flags"
	"github.com/blackstart-ups/blackstart/nut/client/operator"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// A variable is one that can be set, and what the server says about it.
type variable struct {
	name, value string
	desc        string
	types       []string   // the words of GET TYPE
	choices     [][]string // the rows of LIST ENUM or LIST RANGE
}

// show prints what can be set.
func (o *options) show(e env.Env, c *client.Conn, ups string) error {
	var all []*variable
	end := e.Now().Add(operator.ListTime)
	err := c.List(e, operator.Soon(e), func(row []string) error {
		if len(row) < 2 {
			return fmt.Errorf("insufficient data (got %d args, need at least 4)", len(row)+2)
		}
		all = append(all, &variable{name: row[0], value: row[1]})
		return nil
	}, "RW", ups)
	for _, v := range all {
		if err != nil {
			break
		}
		err = v.learn(e, c, ups, end)
		switch {
		case err != nil:
		case o.JSON:
			flags.JSON(e.Host().Stdout(), v.row(ups))
		default:
			v.print(e.Host().Stdout())
		}
	}
	if err != nil {
		return fmt.Errorf("Error: %w", err)
	}
	return nil
}

// learn asks the server about a variable. What it refuses to tell is left out.
func (v *variable) learn(e env.Env, c *client.Conn, ups string, end env.Instant) error {
	soon := func() env.Instant { return min(operator.Soon(e), end) }
	v.desc = "Description unavailable"
	words, err := c.Get(e, soon(), "DESC", ups, v.name)
	if err == nil {
		v.desc = words[0]
	} else if !refused(err) {
		return err
	}
	v.types, err = c.Get(e, soon(), "TYPE", ups, v.name)
	if err != nil && !refused(err) {
		return err
	}
	kind, _ := v.kind()
	if kind != "ENUM" && kind != "RANGE" {
		return nil
	}
	err = c.List(e, soon(), func(row []string) error {
		v.choices = append(v.choices, row)
		return nil
	}, kind, ups, v.name)
	if err != nil && !refused(err) {
		return err
	}
	return nil
}

func refused(err error) bool {
	var token netproto.Err
	return errors.As(err, &token)
}

// kind is the first word of the type that tells how to set the variable, and the one after it.
func (v *variable) kind() (kind, next string) {
	for i, w := range v.types {
		if w == "RW" {
			continue
		}
		if i+1 < len(v.types) {
			next = v.types[i+1]
		}
		return w, next
	}
	return "", ""
}

// A row is what --json writes about a variable. The value is always text.
type row struct {
	UPS         string   `json:"ups"`
	Variable    string   `json:"variable"`
	Description string   `json:"description"`
	Type        string   `json:"type"`                // string or number
	MaxLength   int      `json:"maxLength,omitempty"` // of a string, in bytes
	Value       string   `json:"value"`
	Options     []string `json:"options,omitempty"`
	Ranges      []span   `json:"ranges,omitempty"`
}

type span struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

func (v *variable) row(ups string) row {
	r := row{UPS: ups, Variable: v.name, Description: v.desc, Type: "string", Value: v.value}
	kind, next := v.kind()
	for _, c := range v.choices {
		if kind == "ENUM" {
			r.Options = append(r.Options, c[0])
		} else if len(c) > 1 {
			r.Ranges = append(r.Ranges, span{integer(c[0]), integer(c[1])})
		}
	}
	if kind == "NUMBER" || kind == "RANGE" || next == "NUMBER" {
		r.Type = "number"
	}
	for _, t := range v.types {
		if length, ok := strings.CutPrefix(t, "STRING:"); ok {
			r.MaxLength = integer(length)
		}
	}
	return r
}

// print prints the block of a variable; scripts know its lines.
func (v *variable) print(out io.Writer) {
	fmt.Fprintf(out, "[%s]\n%s\n", v.name, v.desc)
	kind, next := v.kind()
	length, text := strings.CutPrefix(kind, "STRING:")
	switch {
	case kind == "ENUM":
		v.printEnum(out, next)
	case kind == "RANGE":
		v.printRange(out)
	case text:
		fmt.Fprintf(out, "Type: STRING\nMaximum length: %s\nValue: %s\n", length, v.value)
	case kind == "NUMBER":
		fmt.Fprintf(out, "Type: NUMBER\nValue: %s\n", v.value)
	case kind == "":
		fmt.Fprintln(out, "Unknown type")
	default:
		fmt.Fprintf(out, "Type: %s (unrecognized)\n", kind)
	}
	fmt.Fprintln(out)
}

// printEnum prints the values to choose from. They are compared as text, as upsd does.
func (v *variable) printEnum(out io.Writer, of string) {
	length, text := strings.CutPrefix(of, "STRING:")
	switch {
	case text:
		fmt.Fprintf(out, "Type: ENUM STRING\nMaximum length: %s\n", length)
	case of != "":
		fmt.Fprintf(out, "Type: ENUM %s\n", of)
	default:
		fmt.Fprintln(out, "Type: ENUM")
	}
	for _, row := range v.choices {
		fmt.Fprintf(out, "Option: \"%s\"%s\n", row[0], selected(row[0] == v.value))
	}
}

// printRange prints the ranges.
func (v *variable) printRange(out io.Writer) {
	fmt.Fprintln(out, "Type: RANGE NUMBER")
	at := integer(v.value)
	for _, row := range v.choices {
		if len(row) < 2 {
			continue
		}
		lowest, highest := integer(row[0]), integer(row[1])
		within := selected(lowest <= at && at <= highest)
		fmt.Fprintf(out, "Option: \"%d-%d\"%s\n", lowest, highest, within)
	}
}

func selected(yes bool) string {
	if yes {
		return " SELECTED"
	}
	return ""
}

// integer is the number that a value begins with, else 0: so upsd reads it when it checks a range.
func integer(s string) int {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return n
}
