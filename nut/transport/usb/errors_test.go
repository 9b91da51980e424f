package usb

import (
	"errors"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

// own are all the errors that drivers decide by.
var own = []error{transport.ErrPermission, transport.ErrGone, transport.ErrBusy,
	transport.ErrTimeout, transport.ErrOverflow, transport.ErrStall, transport.ErrNoPort,
	errCancelled}

// is reports whether err is want and none of the others; nil stands for none at all.
func is(err, want error) bool {
	for _, o := range own {
		if errors.Is(err, o) != (o == want) {
			return false
		}
	}
	return true
}

// The numbers are those of libusb.h.
func TestErrorsOfTheLibraryAreRenamed(t *testing.T) {
	for code, want := range map[int]error{
		-1: nil, -2: nil, // IO, INVALID_PARAM
		-3: transport.ErrPermission, -4: transport.ErrGone, -5: transport.ErrGone,
		-6: transport.ErrBusy, -7: transport.ErrTimeout, -8: transport.ErrOverflow,
		-9: transport.ErrStall, -10: nil, -11: nil, -12: nil, -99: nil,
	} {
		words := errors.New("its words")
		if got := byCode(code, words); !is(got, want) || !contains(got, "its words") {
			t.Errorf("code %d became %v, want %v", code, got, want)
		}
	}
	for status, want := range map[int]error{
		1: nil, 2: transport.ErrTimeout, 3: errCancelled, 4: transport.ErrStall,
		5: transport.ErrGone, 6: transport.ErrOverflow,
	} {
		words := errors.New("its words")
		if got := byStatus(status, words); !is(got, want) || !contains(got, "its words") {
			t.Errorf("status %d became %v, want %v", status, got, want)
		}
	}
}

// gousb puts some errors of libusb into sentences.
func TestErrorsWithinSentencesAreRenamed(t *testing.T) {
	for text, want := range map[string]error{
		"claiming interface 0: libusb: device or resource busy [code -6]": transport.ErrBusy,
		"query active config: libusb: no device [code -4]":                transport.ErrGone,
		"claiming interface 0: libusb: bad access [code -3]":              transport.ErrPermission,
		"interface 3 not found, available interface numbers: [0 1]":       nil,
		"something [code -77]": nil,
	} {
		if got := byText(errors.New(text)); !is(got, want) || !contains(got, text) {
			t.Errorf("%s: became %v, want %v", text, got, want)
		}
	}
}
