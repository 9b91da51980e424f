package usb

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

// errCancelled is how a transfer ends that this package has cancelled.
var errCancelled = errors.New("cancelled")

// codes are the errors of libusb (enum libusb_error) that drivers decide by.
var codes = []struct {
	code int
	err  error
}{
	{-3, transport.ErrPermission}, // ACCESS
	{-4, transport.ErrGone},       // NO_DEVICE
	{-5, transport.ErrGone},       // NOT_FOUND; what there is was looked up before
	{-6, transport.ErrBusy},
	{-7, transport.ErrTimeout},
	{-8, transport.ErrOverflow},
	{-9, transport.ErrStall}, // PIPE
}

// statuses are the ends of a transfer (enum libusb_transfer_status) that drivers decide by.
var statuses = []struct {
	status int
	err    error
}{
	{2, transport.ErrTimeout},
	{3, errCancelled},
	{4, transport.ErrStall},
	{5, transport.ErrGone}, // NO_DEVICE
	{6, transport.ErrOverflow},
}

// byCode translates an error of libusb, keeping its words.
func byCode(code int, err error) error {
	for _, c := range codes {
		if c.code == code {
			return fmt.Errorf("%w (%v)", c.err, err)
		}
	}
	return err
}

// byStatus does that for the end of a transfer.
func byStatus(status int, err error) error {
	for _, s := range statuses {
		if s.status == status {
			return fmt.Errorf("%w (%v)", s.err, err)
		}
	}
	return err
}

// coded is an error of libusb within a sentence of gousb, which does not always wrap it.
var coded = regexp.MustCompile(`\[code (-[0-9]+)\]`)

// byText translates an error by its words.
func byText(err error) error {
	m := coded.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	code, _ := strconv.Atoi(m[1])
	return byCode(code, err)
}
