//go:build !cgo || nousb

package usb

import (
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// built says whether there is a library underneath.
const built = false

// scan says how to get a program with USB.
func scan(env.Env) (bus, error) {
	return nil, fmt.Errorf("%w: install libusb-1.0-0-dev, pkg-config and a C compiler, and build "+
		"upsdrv with `make build`, or go build with CGO_ENABLED=1", transport.ErrNoUSB)
}

// libraryName names the library: none.
func libraryName() string { return "" }
