//go:build cgo && !nousb

package usb

// #cgo pkg-config: libusb-1.0
// #include <libusb.h>
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/google/gousb"
)

// gousb has no way to clear a halt, and resets only what is not claimed. libusb has both, and after
// a halt it also sets the host's side of the endpoint right, which a request to the device alone
// would not.

// clearHalt ends the stall of an endpoint.
func clearHalt(d *gousb.Device, endpoint byte) error {
	h, err := rawHandle(d)
	if err != nil {
		return err
	}
	return asError(C.libusb_clear_halt(h, C.uchar(endpoint)))
}

// reset resets a device; libusb claims its interfaces again.
func reset(d *gousb.Device) error {
	h, err := rawHandle(d)
	if err != nil {
		return err
	}
	return asError(C.libusb_reset_device(h))
}

func asError(code C.int) error {
	if code == 0 {
		return nil
	}
	return gousb.Error(code)
}

// rawHandle is libusb's handle of an open device, which gousb keeps to itself.
func rawHandle(d *gousb.Device) (*C.libusb_device_handle, error) {
	f := reflect.ValueOf(d).Elem().FieldByName("handle")
	if f.Kind() != reflect.Pointer || f.IsNil() {
		return nil, errors.New("this gousb has no handle of libusb where one is looked for")
	}
	return (*C.libusb_device_handle)(unsafe.Pointer(f.Pointer())), nil
}

// libraryName names the library that is in use and the interface that this program was built for.
func libraryName() string {
	v := C.libusb_get_version()
	return fmt.Sprintf("libusb-%d.%d.%d (API: %#x)", v.major, v.minor, v.micro,
		int(C.LIBUSB_API_VERSION))
}
