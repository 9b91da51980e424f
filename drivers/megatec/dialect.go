package megatec

import (
	"fmt"
	"slices"
	"strings"
)

// A dialect is one protocol of the family: what is asked and when, what the replies mean, and
// what can be told.
type dialect struct {
	name  string // of the option protocol
	title string // of driver.version.data
	// status is asked at each poll. Its reply says what hosts live by.
	status query
	// also is asked at each poll, too, by devices that answer it when they are opened.
	also []query
	// slow is asked each pollfreq, and first when the device is opened. What is not answered then
	// is not asked again.
	slow []query
	// once is asked when the device is opened.
	once []query
	// claim is what must be answered, besides status, for a device to be taken for one that speaks
	// the dialect.
	claim []query
	// onRequest dialects are not looked for: what they answer proves too little, but for USB
	// devices of the maker vendorID.
	onRequest bool
	vendorID  string

	// adjust corrects a reading of status by what is known of the device.
	adjust func(*device, *reading)

	orders []order
	// bare dialects come back from a shutdown command without a start delay; in others that is the
	// one for staying off, or they know a start delay for certain.
	bare     bool
	settings []setting
	presets  []preset
	// fixed are variables that the dialect implies.
	fixed []value
}

// data is the value of driver.version.data.
func (d dialect) data() string { return d.title + " " + version }

// A query is one question and how its reply is read.
type query struct {
	send string
	read decoder
	kind kind
	crc  bool // the question and the reply carry a checksum
	size int  // bytes of a reply of raw bytes, without its CR; 0: a line of text
	// when says, from what is known of the device, whether to ask; nil: always.
	when func(*device) bool
}

// A kind of query can be switched off by an option; some devices hang on it.
type kind int

const (
	plainQuery kind = iota
	ratingQuery
	vendorQuery
)

// wire is what goes over the line, without its CR.
func (q query) wire() string {
	if q.crc {
		return q.send + checksum(q.send)
	}
	return q.send
}

// decode reads a reply.
func (q query) decode(line []byte) (reading, error) {
	var r reading
	if q.crc {
		body, ok := strings.CutSuffix(string(line), checksum(string(line[:max(len(line)-2, 0)])))
		if !ok || len(line) < 2 {
			return r, fmt.Errorf("%w: the checksum of %q is wrong", ErrMalformed, line)
		}
		line = []byte(body)
	}
	err := q.read(line, &r)
	return r, err
}

// Queries that most dialects have.
var (
	askRating = query{send: "F", read: ratingLine, kind: ratingQuery}
	askVendor = query{send: "I", read: vendorLine, kind: vendorQuery}
)

// dialects are all there are, in the order in which a device is tried for them: one that answers
// more comes before those whose questions it understands as well.
var dialects = []dialect{
	omron, voltronic, axpert, voltronicQS, voltronicQSHex, mustek, oldMegatec,
	bestUPS, mecer, megatec, zinto, masterguard, hunnox, ablerex, innovart31,
	innovart33, q2, q6, gtec, q1Only, innovatae,
}

// blazerDialects are those of the older driver, in its order.
var blazerDialects = []dialect{megatec, mustek, oldMegatec, zinto}

// dialectBy finds a dialect by what says holds of it.
func dialectBy(says func(dialect) bool) (dialect, bool) {
	at := slices.IndexFunc(dialects, says)
	if at < 0 {
		return dialect{}, false
	}
	return dialects[at], true
}

func named(name string) func(dialect) bool {
	return func(d dialect) bool { return d.name == name }
}
