package upsd

import (
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
)

// maxTracked is how many results are kept: the newest. A client would need an hour of one request a
// second to lose one before its time.
const maxTracked = 4096

// A tracker knows what became of requests to drivers, by tracking id.
type tracker struct {
	results map[string]sockproto.Code // by id in upper case
	ages    []tracked                 // oldest first
}

type tracked struct {
	id    string
	since env.Instant
}

// add starts to track a request and forgets those older than keep.
func (t *tracker) add(id string, now env.Instant, keep time.Duration) {
	if t.results == nil {
		t.results = make(map[string]sockproto.Code)
	}
	t.expire(now, keep)
	if len(t.ages) >= maxTracked {
		delete(t.results, t.ages[0].id)
		t.ages = t.ages[1:]
	}
	t.results[id] = sockproto.Pending
	t.ages = append(t.ages, tracked{id, now})
}

func (t *tracker) expire(now env.Instant, keep time.Duration) {
	for len(t.ages) > 0 && now.Sub(t.ages[0].since) > keep {
		delete(t.results, t.ages[0].id)
		t.ages = t.ages[1:]
	}
}

// get returns what is known about a request.
func (t *tracker) get(id string, now env.Instant, keep time.Duration) (sockproto.Code, bool) {
	t.expire(now, keep)
	c, ok := t.results[strings.ToUpper(id)]
	return c, ok
}

// set records a result; ids that nobody asked for are not taken.
func (t *tracker) set(id string, c sockproto.Code) bool {
	id = strings.ToUpper(id)
	if _, ok := t.results[id]; !ok {
		return false
	}
	t.results[id] = c
	return true
}

// outcomes are what clients read (NP-K5).
var outcomes = map[sockproto.Code]string{
	sockproto.Pending:          "PENDING",
	sockproto.Handled:          "SUCCESS",
	sockproto.Unknown:          "ERR UNKNOWN",
	sockproto.Invalid:          "ERR INVALID-ARGUMENT",
	sockproto.Failed:           "ERR FAILED",
	sockproto.ConversionFailed: "ERR INVALID-ARGUMENT",
}

// result takes a driver's word about a request. The caller holds the lock.
func (s *server) result(id string, c sockproto.Code) {
	if s.tracked.set(id, c) {
		s.log(slog.LevelInfo, "tracking ID: %s\tresult: %s", strings.ToUpper(id), outcomes[c])
	}
}

// newID draws a tracking id: a random UUID of version 4 in upper case (NP-K2).
func newID(r *rand.Rand) string {
	var b [16]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := strings.ToUpper(hex.EncodeToString(b[:]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
