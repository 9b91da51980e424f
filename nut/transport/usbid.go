package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Of the standard request that fetches a descriptor (USB 2.0, 9.4.3 and tables 9-5, 9-8).
const (
	getDescriptor    = 0x06
	deviceDescriptor = 1
	stringDescriptor = 3
	english          = 0x0409

	deviceSize = 18
	// languageSize is enough of the list of languages for the first one; some devices fail to
	// answer when more is asked for.
	languageSize = 4
	stringSize   = 255
	// tries is how often a string is asked for: some devices answer the second time.
	tries = 3
)

// ReadUSBID asks a device who it is, with a function that makes control transfers and sets their
// time limit. Where the device is plugged in is left to the caller. A string that cannot be read is
// empty; the error is that of the device descriptor, or that the device or the task has gone.
func ReadUSBID(control func(s USBSetup, data []byte) (n int, err error)) (USBID, error) {
	head, id, err := readNumbers(control)
	if err != nil {
		return USBID{}, err
	}
	return readTexts(control, head, id)
}

// readNumbers fetches the device descriptor, and takes the numbers from it.
func readNumbers(control func(USBSetup, []byte) (int, error)) (head []byte, id USBID, err error) {
	head = make([]byte, deviceSize)
	n, err := control(fetch(deviceDescriptor, 0, 0), head)
	if err == nil && n < deviceSize {
		err = fmt.Errorf("% x: want %d bytes", head[:n], deviceSize)
	}
	if err != nil {
		return nil, USBID{}, fmt.Errorf("device descriptor: %w", err)
	}
	return head, USBID{
		VendorID:  binary.LittleEndian.Uint16(head[8:]),
		ProductID: binary.LittleEndian.Uint16(head[10:]),
		Release:   binary.LittleEndian.Uint16(head[12:]),
	}, nil
}

// readTexts adds the strings that a device descriptor names.
func readTexts(control func(USBSetup, []byte) (int, error), head []byte, id USBID) (USBID, error) {
	r := stringReader{control: control}
	id.Vendor, id.Product, id.Serial = r.read(head[14]), r.read(head[15]), r.read(head[16])
	return id, r.fatal
}

func fetch(kind, index byte, language uint16) USBSetup {
	return USBSetup{RequestType: 0x80, Request: getDescriptor,
		Value: uint16(kind)<<8 | uint16(index), Index: language}
}

// A stringReader reads strings in the device's first language.
type stringReader struct {
	control  func(USBSetup, []byte) (int, error)
	language uint16
	fatal    error // why it makes no sense to ask on
	silences int   // answers that did not come in time; after some the device is not asked on
}

func (r *stringReader) read(index byte) string {
	if index == 0 {
		return ""
	}
	if r.language == 0 {
		r.language = english
		b := r.ask(fetch(stringDescriptor, 0, 0), languageSize)
		if len(b) == languageSize && b[0] >= languageSize && b[1] == stringDescriptor {
			r.language = binary.LittleEndian.Uint16(b[2:])
		}
	}
	return usbText(r.ask(fetch(stringDescriptor, index, r.language), stringSize))
}

// ask returns what the device answers, nil if nothing.
func (r *stringReader) ask(s USBSetup, size int) []byte {
	for range tries {
		if r.fatal != nil || r.silences == tries {
			return nil
		}
		b := make([]byte, size)
		n, err := r.control(s, b)
		switch {
		case err == nil:
			return b[:n]
		case errors.Is(err, ErrGone), errors.Is(err, env.ErrStopped), errors.Is(err, env.ErrClosed):
			r.fatal = err
		case errors.Is(err, ErrTimeout):
			r.silences++
		}
	}
	return nil
}

// usbText decodes a string descriptor: two bytes, and UTF-16 after them. The length in its first
// byte is not believed, for some devices set it wrong.
func usbText(b []byte) string {
	var words []uint16
	for i := 2; i+1 < len(b); i += 2 {
		w := binary.LittleEndian.Uint16(b[i:])
		if w == 0 {
			break
		}
		words = append(words, w)
	}
	printable := func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}
	return strings.TrimSpace(strings.Map(printable, string(utf16.Decode(words))))
}
