package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
)

// usb is what the command line says of the bridge between the UPS and a USB plug.
type usb struct {
	kind    string // of bridge.Kinds; empty: there is none
	id      string
	options bridge.Options
}

func (u *usb) flags(f *pflag.FlagSet, line *serve.Options) {
	kinds := strings.Join(bridge.Kinds(), ", ")
	f.StringVar(&u.kind, "bridge", "",
		"the UPS is a USB device, behind a bridge of this `KIND`: "+kinds+"; it wants --socket")
	f.StringVar(&u.id, "usb-id", "",
		"`VENDOR:PRODUCT` of the device, in hex; this and the texts are else those of the kind")
	f.StringVar(&u.options.Vendor, "usb-vendor", "", "`TEXT` of the maker")
	f.StringVar(&u.options.Product, "usb-product", "", "`TEXT` of the product")
	f.StringVar(&u.options.Serial, "usb-serial", "", "`TEXT` of the serial number")
	f.Uint16Var(&u.options.LangID, "usb-langid", 0,
		"`NUMBER` of the only language in which it answers, for kinds whose commands are strings")
	f.BoolVar(&u.options.Wide, "usb-wide", false, "an armac that has packets of 64 bytes")
	f.IntVar(&line.Bus, "bus", 1, "`NUMBER` of the bus into which it is plugged")
}

// parse checks what was said.
func (u *usb) parse(f *pflag.FlagSet, pty string) error {
	if u.kind == "" {
		return u.none(f)
	}
	switch bus := f.Lookup("bus").Value.String(); {
	case !slices.Contains(bridge.Kinds(), u.kind):
		return fmt.Errorf("--bridge %q: want one of %s", u.kind, strings.Join(bridge.Kinds(), ", "))
	case pty != "":
		return errors.New("--pty: a pseudo-terminal is no USB port; with --bridge want --socket")
	case len(bus) > 3 || strings.HasPrefix(bus, "-") || bus == "0":
		return fmt.Errorf("--bus %s: want 1 to 999", bus)
	case u.id == "":
		return u.try()
	}
	vendor, product, ok := strings.Cut(u.id, ":")
	v, errV := strconv.ParseUint(vendor, 16, 16)
	p, errP := strconv.ParseUint(product, 16, 16)
	if !ok || errV != nil || errP != nil {
		return fmt.Errorf("--usb-id %q: want two numbers of four digits in hex, as 0665:5161", u.id)
	}
	u.options.VendorID, u.options.ProductID = uint16(v), uint16(p)
	return u.try()
}

// none checks that nothing is said of a bridge when there is none.
func (u *usb) none(f *pflag.FlagSet) (err error) {
	f.Visit(func(flag *pflag.Flag) {
		if err == nil && (strings.HasPrefix(flag.Name, "usb-") || flag.Name == "bus") {
			err = fmt.Errorf("--%s: the UPS is no USB device; want --bridge", flag.Name)
		}
	})
	return err
}

// try reports what is wrong with the options for this kind.
func (u *usb) try() error {
	_, err := bridge.New(u.kind, megatec.New(power.New(power.Spec{}), megatec.Options{}), u.options)
	return err
}

// plug connects the device in the way that was asked for.
func (s *setup) plug(dev serve.Face) (serve.Port, error) {
	if s.usb.kind == "" {
		return serve.NewCable(dev, s.line), nil
	}
	o := s.usb.options
	o.Baud, o.Latency = s.line.Baud, s.line.Latency
	b, err := bridge.New(s.usb.kind, dev, o)
	if err != nil {
		return nil, err
	}
	return serve.NewPlug(b, s.line), nil
}
