package transport

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// ErrNumbers says that a device came into question by neither of its numbers.
var ErrNumbers = errors.New("a device with other numbers")

// Of the configuration descriptor (USB 2.0, table 9-10): byte 4 counts the interfaces.
const (
	configurationDescriptor = 2
	configurationSize       = 9
)

// A Controller makes control transfers: USB.Control of a device.
type Controller interface {
	Control(e env.Env, s USBSetup, data []byte, until env.Instant) (int, error)
}

// requestTime is how long a program waits for a descriptor, as those with libusb do.
const requestTime = time.Second

// Look reads what a device says of itself into id, but not where it is plugged in, and tells
// whether it is wanted. The error wraps ErrNumbers, ErrNoPort with the words of Match, or is one
// of a transfer.
func (w USBWant) Look(e env.Env, c Controller, id *USBID) error {
	control := func(s USBSetup, data []byte) (int, error) {
		return c.Control(e, s, data, e.Now().Add(requestTime))
	}
	head, is, err := readNumbers(control)
	if err != nil {
		return err
	}
	if w.Numbers != nil && !w.Numbers(is.VendorID, is.ProductID) {
		return fmt.Errorf("%04x:%04x: %w", is.VendorID, is.ProductID, ErrNumbers)
	}
	conf := make([]byte, configurationSize)
	n, err := control(fetch(configurationDescriptor, 0, 0), conf)
	switch {
	case err != nil:
		return fmt.Errorf("configuration descriptor: %w", err)
	case n < len(conf) || w.Interface < 0 || w.Interface >= int(conf[4]):
		return fmt.Errorf("interface %d: %w: the device has %d", w.Interface, ErrNoPort, conf[4])
	}
	if is, err = readTexts(control, head, is); err != nil {
		return err
	}
	is.Bus, is.Device, is.BusPort = id.Bus, id.Device, id.BusPort
	*id = is
	if w.Match == nil {
		return nil
	}
	if err := w.Match(*id); err != nil {
		return fmt.Errorf("%w: %w", ErrNoPort, err)
	}
	return nil
}

// FirstUSB opens the first of the devices with these names for which open gives no error. Its own
// error says of each that came into question why not.
func FirstUSB(names []string, open func(name string) (USB, error)) (USB, error) {
	cause := ErrNoPort
	var why, others []string
	for _, name := range names {
		dev, err := open(name)
		switch {
		case err == nil:
			return dev, nil
		case errors.Is(err, env.ErrStopped):
			return nil, err
		case errors.Is(err, ErrNumbers):
			others = append(others, strings.TrimSuffix(err.Error(), ": "+ErrNumbers.Error()))
			continue
		case cause != ErrNoPort: // keeps the first
		case errors.Is(err, ErrBusy):
			cause = ErrBusy
		case errors.Is(err, ErrPermission):
			cause = ErrPermission
		}
		why = append(why, fmt.Sprintf("%s: %v", name, err))
	}
	if len(why) == 0 {
		err := fmt.Errorf("%w: no USB device that this driver knows, "+
			"of %d that are plugged in", cause, len(names))
		if len(others) > 0 {
			err = fmt.Errorf("%w: %s", err, strings.Join(others, ", "))
		}
		return nil, err
	}
	return nil, fmt.Errorf("%w: no USB device fits: %s", cause, strings.Join(why, "; "))
}

// NoUSB is why the one device with a name was not opened. Other numbers are no device there.
func NoUSB(name string, err error) error {
	if errors.Is(err, ErrNumbers) {
		return fmt.Errorf("%s: %w: %w", name, ErrNoPort, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
