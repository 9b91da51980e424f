package netproto

import (
	"strconv"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// What follows appends one line of a reply to b. ups and name are spelt as the client spelt them.

// AppendErr appends an error.
func AppendErr(b []byte, e Err) []byte {
	b = append(b, "ERR "...)
	b = append(b, e...)
	return append(b, '\n')
}

// AppendValue appends a line of a kind, a UPS, a name and a quoted value: VAR, RW, ENUM, DESC,
// CMDDESC.
func AppendValue(b []byte, kind, ups, name, value string) []byte {
	b = appendHead(b, kind, ups)
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, ' ')
	b = line.AppendQuote(b, value)
	return append(b, '\n')
}

// AppendText appends a line of a kind, a UPS and a quoted text: UPSDESC, UPS.
func AppendText(b []byte, kind, ups, text string) []byte {
	b = appendHead(b, kind, ups)
	b = append(b, ' ')
	b = line.AppendQuote(b, text)
	return append(b, '\n')
}

// AppendPlain appends a line of a kind, a UPS and an unquoted word: CMD, CLIENT.
func AppendPlain(b []byte, kind, ups, word string) []byte {
	b = appendHead(b, kind, ups)
	b = append(b, ' ')
	b = append(b, word...)
	return append(b, '\n')
}

// AppendRange appends a row of LIST RANGE.
func AppendRange(b []byte, ups, name string, min, max int) []byte {
	b = appendHead(b, "RANGE", ups)
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, " \""...)
	b = strconv.AppendInt(b, int64(min), 10)
	b = append(b, "\" \""...)
	b = strconv.AppendInt(b, int64(max), 10)
	return append(b, "\"\n"...)
}

// AppendList appends the first or last line of a list: BEGIN or END and the words of the query.
func AppendList(b []byte, edge string, query ...string) []byte {
	b = append(b, edge...)
	b = append(b, " LIST"...)
	for _, w := range query {
		b = append(b, ' ')
		b = append(b, w...)
	}
	return append(b, '\n')
}

func appendHead(b []byte, kind, ups string) []byte {
	b = append(b, kind...)
	b = append(b, ' ')
	return append(b, ups...)
}
