package upssched

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
)

// Requests to the keeper. Each is a line of quoted words, and is answered with a line OK. The list
// comes before its OK, between two lines that say so.
const (
	startVerb         = "START"          // name seconds TYPE UPS MESSAGE
	startSharedVerb   = "START-SHARED"   // the same
	cancelVerb        = "CANCEL"         // name command TYPE UPS MESSAGE
	cancelMatchedVerb = "CANCEL-MATCHED" // the same
	listVerb          = "LIST-TIMERS"
)

const (
	replyOK      = "OK"
	replyUnknown = "ERR UNKNOWN"
	replyBogus   = "ERR INVALID-ARGUMENT"
	listBegin    = "BEGIN LIST TIMERS"
	listEnd      = "END LIST TIMERS"
)

// maxOffset is the longest timer: a year.
const maxOffset = 366 * 24 * time.Hour

// A request is one line to the keeper.
type request struct {
	verb  string
	name  string
	after time.Duration // START
	other string        // CANCEL: what to do when there was no such timer
	about notice
}

// text is the request as it goes over the socket.
func (r request) text() string {
	if r.verb == listVerb {
		return r.verb + "\n"
	}
	second := r.other
	if r.verb == startVerb || r.verb == startSharedVerb {
		second = strconv.FormatInt(int64(r.after/time.Second), 10)
	}
	words := []string{r.verb}
	for _, w := range []string{r.name, second, r.about.kind, r.about.ups, r.about.text} {
		words = append(words, line.QuoteText(w))
	}
	return strings.Join(words, " ") + "\n"
}

// Why the keeper does not follow a line.
var (
	errUnknown = errors.New(replyUnknown)
	errBogus   = errors.New(replyBogus)
)

// parseRequest reads the words of a line. Words that are missing at its end are empty.
func parseRequest(words []string) (request, error) {
	w := append(append([]string(nil), words...), make([]string, 6)...)
	r := request{verb: w[0], name: w[1], about: notice{kind: w[3], ups: w[4], text: w[5]}}
	switch r.verb {
	case listVerb:
		return r, nil
	case startVerb, startSharedVerb:
		n, err := strconv.Atoi(w[2])
		if err != nil || n < 0 || n > int(maxOffset/time.Second) {
			return r, fmt.Errorf("%w: %q: want a number of seconds", errBogus, w[2])
		}
		r.after = time.Duration(n) * time.Second
	case cancelVerb, cancelMatchedVerb:
		r.other = w[2]
	default:
		return r, errUnknown
	}
	if r.name == "" {
		return r, fmt.Errorf("%w: a timer without a name", errBogus)
	}
	return r, nil
}

// keeperTime is what the keeper may take to answer: it does nothing that takes long.
const keeperTime = 10 * time.Second

// A client talks to the keeper.
type client struct {
	c    env.Conn
	rest []byte
}

// dial finds the keeper; it is an error when there is none.
func dial(e env.Env, pipe string) (*client, error) {
	c, err := e.Net().Dial(e, "unix", pipe, e.Now().Add(keeperTime))
	if err != nil {
		return nil, err
	}
	return &client{c: c}, nil
}

// ask sends a request and returns the lines of the answer before its OK.
func (c *client) ask(e env.Env, r request) ([]string, error) {
	until := e.Now().Add(keeperTime)
	if _, err := c.c.Write(e, []byte(r.text()), until); err != nil {
		return nil, fmt.Errorf("%s: %w", r.verb, err)
	}
	var rows []string
	for {
		l, err := c.line(e, until)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", r.verb, err)
		case l == replyOK:
			return rows, nil
		case strings.HasPrefix(l, "ERR "):
			return nil, fmt.Errorf("%s %q: the keeper of the timers says %s", r.verb, r.name, l)
		}
		rows = append(rows, l)
	}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

func (c *client) line(e env.Env, until env.Instant) (string, error) {
	buf := make([]byte, 4096)
	for {
		if l, rest, ok := strings.Cut(string(c.rest), "\n"); ok {
			c.rest = []byte(rest)
			return l, nil
		}
		if len(c.rest) > maxAnswer {
			return "", io.ErrShortBuffer
		}
		n, err := c.c.Read(e, buf, until)
		if err != nil {
			return "", err
		}
		c.rest = append(c.rest, buf[:n]...)
	}
}
