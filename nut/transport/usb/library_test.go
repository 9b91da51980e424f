//go:build cgo && !nousb

package usb

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/gousb"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

// What the library returns is renamed, bare, wrapped or as an end of a transfer.
func TestTheLibrarysTypesAreKnown(t *testing.T) {
	for err, want := range map[error]error{
		gousb.ErrorAccess:      transport.ErrPermission,
		gousb.ErrorNoDevice:    transport.ErrGone,
		gousb.ErrorBusy:        transport.ErrBusy,
		gousb.ErrorPipe:        transport.ErrStall,
		gousb.ErrorOverflow:    transport.ErrOverflow,
		gousb.ErrorTimeout:     transport.ErrTimeout,
		gousb.ErrorIO:          nil,
		gousb.TransferStall:    transport.ErrStall,
		gousb.TransferNoDevice: transport.ErrGone,
		gousb.TransferOverflow: transport.ErrOverflow,
		gousb.TransferTimedOut: transport.ErrTimeout,
		gousb.TransferError:    nil,
	} {
		if got := translate(err); !is(got, want) {
			t.Errorf("%v became %v, want %v", err, got, want)
		}
		if got := translate(fmt.Errorf("claiming: %w", err)); !is(got, want) {
			t.Errorf("%v, wrapped, became %v, want %v", err, got, want)
		}
	}
	if translate(gousb.TransferCancelled) == nil || translate(nil) != nil {
		t.Error("nil is not nil")
	}
}

// rawHandle looks for a field that gousb does not promise.
func TestTheHandleIsWhereItIsLookedFor(t *testing.T) {
	f, ok := reflect.TypeFor[gousb.Device]().FieldByName("handle")
	if !ok || f.Type.Kind() != reflect.Pointer || f.Type.Elem().Name() != "libusbDevHandle" {
		t.Fatalf("gousb.Device.handle is %v", f.Type)
	}
	if _, err := rawHandle(new(gousb.Device)); err == nil {
		t.Error("a device that is not open has a handle")
	}
}

func TestInterfacesStandWhereTheirNumbersSay(t *testing.T) {
	put := byNumber([]gousb.InterfaceDesc{{Number: 3}, {Number: 1}})
	if len(put) != 4 || put[1].Number != 1 || put[3].Number != 3 || put[0].Number != -1 {
		t.Errorf("%v", put)
	}
}
