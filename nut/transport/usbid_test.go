package transport

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// device answers control transfers from a table: what is asked for, value and index in hexadecimal.
type device map[string]any

func (d device) control(s USBSetup, data []byte) (int, error) {
	switch a := d[fmt.Sprintf("%02x %02x %04x %04x", s.RequestType, s.Request, s.Value, s.Index)].(type) {
	case string:
		return copy(data, a), nil
	case error:
		return 0, a
	case *flaky:
		if a.fails--; a.fails >= 0 {
			return 0, ErrStall
		}
		return copy(data, a.answer), nil
	}
	return 0, ErrStall
}

// flaky answers after some failures.
type flaky struct {
	fails  int
	answer string
}

// descriptor is a device descriptor 0665:5161, release 0002, with all three strings.
const descriptor = "\x12\x01\x10\x01\x00\x00\x00\x08\x65\x06\x61\x51\x02\x00\x01\x02\x03\x01"

// wide is the descriptor of a string of ASCII.
func wide(s string) string {
	b := []byte{byte(2 + 2*len(s)), 3}
	for i := range len(s) {
		b = append(b, s[i], 0)
	}
	return string(b)
}

func TestADeviceSaysWhoItIs(t *testing.T) {
	const numbers = "0665:5161"
	for _, c := range []struct {
		name string
		dev  device
		want string
	}{
		{"all strings", device{"80 06 0300 0000": "\x04\x03\x07\x04", "80 06 0301 0407": wide("INNO TECH"),
			"80 06 0302 0407": wide(" USB to Serial "), "80 06 0303 0407": wide("20100826")},
			`INNO TECH|USB to Serial|20100826`},
		{"a broken list of languages means English", device{"80 06 0300 0000": "\x00\x00\x00\x00",
			"80 06 0301 0409": wide("ATCL FOR UPS")}, `ATCL FOR UPS||`},
		{"so does none", device{"80 06 0302 0409": wide("MEC0003")}, `|MEC0003|`},
		{"it answers the third time", device{"80 06 0301 0409": &flaky{2, wide("shy")}}, `shy||`},
		{"a wrong length, a NUL, a newline and letters beyond ASCII", device{
			"80 06 0301 0409": "\x00\x03K\x00\xf6\x00\x3d\xd8\x0a\xdeX", "80 06 0302 0409": wide("a\nb\x00c"),
			"80 06 0303 0409": "\x02"}, "K\u00f6\U0001f60a|a b|"},
	} {
		c.dev["80 06 0100 0000"] = descriptor
		id, err := ReadUSBID(c.dev.control)
		got := fmt.Sprintf("%04x:%04x", id.VendorID, id.ProductID)
		text := strings.Join([]string{id.Vendor, id.Product, id.Serial}, "|")
		if err != nil || got != numbers || id.Release != 2 || text != c.want {
			t.Errorf("%s: %v, %v: want %s", c.name, id, err, c.want)
		}
	}
}

func TestADeviceThatDoesNotSayWhoItIs(t *testing.T) {
	if _, err := ReadUSBID(device{}.control); !errors.Is(err, ErrStall) {
		t.Errorf("no device descriptor: %v", err)
	}
	if _, err := ReadUSBID(device{"80 06 0100 0000": descriptor[:17]}.control); err == nil {
		t.Error("17 bytes were taken for a device descriptor")
	}
	for _, want := range []error{ErrGone, env.ErrStopped} {
		_, err := ReadUSBID(device{"80 06 0100 0000": descriptor, "80 06 0301 0409": want}.control)
		if !errors.Is(err, want) {
			t.Errorf("%v while its strings are read: %v", want, err)
		}
	}
}

// A device that answers no string costs three time limits, not twelve.
func TestAMuteDeviceIsNotAskedOn(t *testing.T) {
	asked := 0
	id, err := ReadUSBID(func(s USBSetup, data []byte) (int, error) {
		if s.Value>>8 == deviceDescriptor {
			return copy(data, descriptor), nil
		}
		asked++
		return 0, ErrTimeout
	})
	if err != nil || id.VendorID != 0x0665 || asked != 3 {
		t.Errorf("%v, %v after %d questions for strings, want 3", id, err, asked)
	}
}
