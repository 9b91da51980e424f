package devsock

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

func TestRequestsSurviveTheSocket(t *testing.T) {
	for _, r := range []Request{
		{Kind: Control, Seq: 7, Left: 5 * time.Second, Len: 8, Data: []byte("Q1\r\x00\x00\x00\x00\x00"),
			Setup: transport.USBSetup{RequestType: 0x21, Request: 9, Value: 0x0200, Index: 1}},
		{Kind: Control, Left: -1, Len: 255,
			Setup: transport.USBSetup{RequestType: 0x80, Request: 6, Value: 0x0303, Index: 0x0409}},
		{Kind: Interrupt, Seq: 255, Endpoint: 0x81, Len: 8},
		{Kind: Interrupt, Seq: 1, Endpoint: 0x02, Len: 0, Data: []byte{}},
		{Kind: ClearHalt, Seq: 2, Endpoint: 0x81},
		{Kind: Reset, Seq: 3},
	} {
		got, err := ParseRequest(r.Frame())
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("ParseRequest of\n%+v is\n%+v, %v", r, got, err)
		}
	}
}

func TestDeadlinesAreRoundedUp(t *testing.T) {
	for _, tt := range []struct{ left, want time.Duration }{
		{0, 0}, {1, time.Millisecond}, {1001 * time.Microsecond, 2 * time.Millisecond},
		{100 * 24 * time.Hour, -1}, {-1, -1},
	} {
		r, err := ParseRequest(Request{Kind: Interrupt, Left: tt.left}.Frame())
		if err != nil || r.Left != tt.want {
			t.Errorf("%v arrives as %v, %v; want %v", tt.left, r.Left, err, tt.want)
		}
	}
}

func TestBadRequestsAreNamed(t *testing.T) {
	for _, f := range []Frame{
		{'C', nil}, {'I', make([]byte, 7)}, {'H', []byte{1}}, {'Z', []byte{1, 2}}, {'D', []byte("x")},
		{'I', []byte{1, 0, 0, 0, 0, 0x02, 0, 3, 'a'}},     // out, and less than it says
		{'I', []byte{1, 0, 0, 0, 0, 0x81, 0, 3, 'a'}},     // in, with data
		{'I', []byte{1, 0, 0, 0, 0, 0x81, 0x0f, 0xf1}},    // more than there can be
		{'C', append(make([]byte, 12), 2, 'a', 'b', 'c')}, // out, and more
	} {
		if r, err := ParseRequest(f); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%q %q is read as %+v, %v; want an error that says what is wanted",
				f.Kind, f.Body, r, err)
		}
	}
}

func TestAnswersKeepTheirMeaning(t *testing.T) {
	for _, want := range []error{nil, transport.ErrTimeout, transport.ErrStall,
		transport.ErrOverflow, transport.ErrGone} {
		a, err := ParseAnswer(Answer{9, want, []byte("data")}.Frame())
		if err != nil || a.Seq != 9 || !errors.Is(a.Err, want) || string(a.Data) != "data" {
			t.Errorf("%v arrives as %+v, %v", want, a, err)
		}
	}
	a, err := ParseAnswer(Answer{Err: errors.New("it burns")}.Frame())
	if err != nil || a.Err == nil || !strings.Contains(a.Err.Error(), "it burns") || a.Data != nil {
		t.Errorf("another error arrives as %+v, %v", a, err)
	}
}

// sameUSB checks a frame of a USB device: what is read from it is written the same way.
func sameUSB(t *testing.T, f Frame) {
	if r, err := ParseRequest(f); err == nil && !bytes.Equal(r.Frame().Body, f.Body) {
		t.Errorf("%q %q is %+v, which is %q", f.Kind, f.Body, r, r.Frame().Body)
	}
	if a, err := ParseAnswer(f); err == nil && f.Body[1] != 0 && a.Err == nil {
		t.Errorf("%q %q is no error", f.Kind, f.Body)
	} else if err == nil && (a.Err == nil || len(a.Data) > 0) &&
		!bytes.Equal(a.Frame().Body, f.Body) {
		t.Errorf("%q %q is %+v, which is %q", f.Kind, f.Body, a, a.Frame().Body)
	}
	var id transport.USBID
	if parsePlace(f.Body, &id) == nil && string(PlaceBody(id)) != string(f.Body) {
		t.Errorf("%q is %+v, which is %q", f.Body, id, PlaceBody(id))
	}
}
