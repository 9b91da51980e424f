package megatec

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// patterns are the options that tell one USB device from others: regular expressions of which one
// must match the whole of a value, in any of its spellings.
var patterns = []struct {
	key, help string
	of        func(transport.USBID) []string
}{
	{"vendorid", "with port = auto: the maker's number of the USB device, four digits " +
		"hexadecimal; this and the next seven are regular expressions, each for the whole text",
		func(id transport.USBID) []string { return []string{fmt.Sprintf("%04x", id.VendorID)} }},
	{"productid", "its product number, four digits hexadecimal",
		func(id transport.USBID) []string { return []string{fmt.Sprintf("%04x", id.ProductID)} }},
	{"vendor", "its maker", func(id transport.USBID) []string { return []string{id.Vendor} }},
	{"product", "its product", func(id transport.USBID) []string { return []string{id.Product} }},
	{"serial", "its serial number",
		func(id transport.USBID) []string { return []string{id.Serial} }},
	{"bus", "the bus, three digits", func(id transport.USBID) []string { return []string{id.Bus} }},
	{"device", "its number on the bus, three digits; another one when it is plugged in anew",
		func(id transport.USBID) []string { return []string{id.Device} }},
	{"busport", "where it is plugged in: 1.4 is the fourth socket of the hub in the first; or as " +
		"NUT says it, 004", func(id transport.USBID) []string { return busPorts(id.BusPort) }},
}

// busPorts are the way to a device and, as NUT knows it, its end.
func busPorts(way string) []string {
	last, _ := strconv.Atoi(way[strings.LastIndex(way, ".")+1:])
	return []string{way, fmt.Sprintf("%03d", last)}
}

// usbOptions are the options of a program for USB.
func usbOptions(kinds []string) []driver.Option {
	all := []driver.Option{{Key: "subdriver", OneOf: kinds,
		Help: "kind of the USB bridge, with vendorid and productid"}}
	for _, p := range patterns {
		all = append(all, driver.Option{Key: p.key, Check: isPattern, Help: p.help})
	}
	return append(all,
		driver.Option{Key: "langid_fix", Check: isLanguage,
			Help: "language of the strings of a krauler, hunnox or snr bridge: 0x409 or 0x4095"},
		driver.Option{Key: "allow_duplicates", Kind: driver.Flag,
			Help: "several UPSes look the same: take any that no other driver has"})
}

func kinds() []string {
	var names []string
	for _, b := range bridges {
		names = append(names, b.name)
	}
	return names
}

func isPattern(value string) error {
	_, err := pattern(value)
	return err
}

// pattern compiles an extended regular expression of POSIX, blind for case.
func pattern(value string) (*regexp.Regexp, error) {
	parsed, err := syntax.Parse(value, syntax.POSIX|syntax.FoldCase)
	if err != nil {
		return nil, fmt.Errorf("want a regular expression: %w", err)
	}
	return regexp.Compile(`^(?:` + parsed.String() + `)$`)
}

func isLanguage(value string) error {
	if language(value) == 0 {
		return errors.New("want a language as 0x409 or 0x4095")
	}
	return nil
}

// language reads a langid_fix; 0 for none.
func language(value string) uint16 {
	n, err := strconv.ParseUint(value, 0, 16)
	if err != nil || !strings.HasPrefix(value, "0x") {
		return 0
	}
	return uint16(n)
}

// meaningUSB are the options that, when the program serves both, say that a UPS is on USB.
var meaningUSB = []string{"subdriver", "vendorid", "productid", "vendor", "product", "serial",
	"bus", "busport", "langid_fix"}

// plug opens the cable that the configuration names.
func (p program) plug(e env.Env, s driver.Setup) (carrier, error) {
	option := ""
	if at := slices.IndexFunc(meaningUSB, s.Conf.Given); p.bridged != nil && at >= 0 {
		option = meaningUSB[at]
	}
	switch {
	case p.bridged == nil && s.Conf.Port() == transport.Auto:
		return nil, fmt.Errorf("port = %s means USB: want a serial device such as /dev/ttyS0",
			transport.Auto)
	case p.bridged == nil:
		return p.plugSerial(e, s)
	case !p.serial || option != "" || s.Conf.Port() == transport.Auto:
		return p.plugUSB(e, s, option)
	}
	cable, err := p.plugSerial(e, s)
	other := errors.Is(err, transport.ErrBusy) || errors.Is(err, transport.ErrPermission) ||
		errors.Is(err, env.ErrStopped)
	if errors.Is(err, transport.ErrNoPort) || err != nil && !other && maybeUSB(s.Conf.Port()) {
		return p.plugNamed(e, s, err)
	}
	return cable, err
}

// plugNamed opens a port that is no serial one, for the reason why, but may be a USB device.
func (p program) plugNamed(e env.Env, s driver.Setup, why error) (carrier, error) {
	find, err := p.search(s)
	if err != nil {
		return nil, err
	}
	usb, err := find.open(e, s.Ports, s.Conf.Port())
	if err != nil && maybeUSB(s.Conf.Port()) && err.Error() != why.Error() {
		return nil, fmt.Errorf("%w; as a USB device: %w", why, err)
	}
	if err != nil {
		return nil, why
	}
	return find.link(usb, s), nil
}

// usbKept is under which name the State keeps which device was opened.
const usbKept = "usb"

// A search for a USB device.
type usbSearch struct {
	program
	conf     *driver.Conf
	patterns map[string]*regexp.Regexp
	bridge   string // option subdriver
	known    string // the device that was lost
	taken    string // where the first device is that fits; it is asked for no other
}

// plugUSB opens the bridge. option is the one by which USB is meant.
func (p program) plugUSB(e env.Env, s driver.Setup, option string) (carrier, error) {
	find, err := p.search(s)
	if err != nil {
		return nil, err
	}
	usb, err := find.open(e, s.Ports, s.Conf.Port())
	if errors.Is(err, transport.ErrNoPort) && !maybeUSB(s.Conf.Port()) {
		if find.known == "" {
			e.Log().Warn(fmt.Sprintf("%s: port = %s names no USB device, but %s means USB: "+
				"looking at all, as with %s", s.Conf.UPS, s.Conf.Port(),
				cmp.Or(option, s.Conf.Program), transport.Auto))
		}
		usb, err = find.open(e, s.Ports, transport.Auto)
	}
	if err != nil {
		return nil, err
	}
	return find.link(usb, s), nil
}

// link makes the carrier of an open device, and keeps in mind which it is.
func (f *usbSearch) link(usb transport.USB, s driver.Setup) carrier {
	id := usb.ID()
	s.State.Keep(usbKept, identity(id))
	s.State.Set("ups.vendorid", fmt.Sprintf("%04x", id.VendorID))
	s.State.Set("ups.productid", fmt.Sprintf("%04x", id.ProductID))
	if l, ok := usb.(transport.Librarian); ok {
		s.State.Set("driver.version.usb", l.Library())
	}
	b := f.kind(id)
	s.Debug(1, "%v: a bridge of the kind %s", id, b.name)
	return &link{usb: usb, in: b.in, debug: s.Debug, doubtful: true, talker: b.start(bridgeOptions{
		lang: language(s.Conf.Text("langid_fix")), noVendor: s.Conf.Flag("novendor")})}
}

// deviceNames begin the names of USB devices: emulated ones and the files of a system.
var deviceNames = []string{transport.Auto, "devsim:", "/dev/bus/usb/"}

// maybeUSB reports whether a port can mean a USB device by its name; in files for NUT there is
// anything.
func maybeUSB(port string) bool {
	return slices.ContainsFunc(deviceNames, func(name string) bool {
		return strings.HasPrefix(port, name)
	})
}

// search prepares the search by the options.
func (p program) search(s driver.Setup) (*usbSearch, error) {
	find := &usbSearch{program: p, conf: s.Conf, patterns: map[string]*regexp.Regexp{},
		bridge: s.Conf.Text("subdriver"), known: s.State.Kept(usbKept)}
	for _, o := range patterns {
		if text := s.Conf.Text(o.key); text != "" {
			find.patterns[o.key], _ = pattern(text) // checked with the options
		}
	}
	numbers := s.Conf.Given("vendorid") && s.Conf.Given("productid")
	if find.bridge != "" && !numbers {
		return nil, fmt.Errorf("subdriver = %s: vendorid and productid are missing: "+
			"want the numbers that lsusb shows for the device", find.bridge)
	}
	return find, nil
}

// open opens the first device that will do.
func (f *usbSearch) open(e env.Env, ports transport.Ports, name string) (transport.USB, error) {
	return ports.USB(e, name, transport.USBWant{Numbers: f.numbers, Match: f.match,
		Interface:  index(f.conf.Text("usb_hid_rep_index")),
		AltSetting: index(f.conf.Text("usb_set_altinterface"))})
}

// numbers tells from the numbers alone whether a device may do. Those that only an option names
// are looked at as well, so that people learn what is wrong with them.
func (f *usbSearch) numbers(vendor, product uint16) bool {
	id := transport.USBID{VendorID: vendor, ProductID: product}
	named := false
	for _, p := range patterns[:2] {
		re := f.patterns[p.key]
		if re != nil && !slices.ContainsFunc(p.of(id), re.MatchString) {
			return false
		}
		named = named || re != nil
	}
	return named || slices.ContainsFunc(usbIDs, func(u usbID) bool {
		return u.vendorID == vendor && u.productID == product && f.bridged(u) != ""
	})
}

// match says what is wrong with a device.
func (f *usbSearch) match(id transport.USBID) error {
	for _, p := range patterns {
		if re := f.patterns[p.key]; re != nil && !slices.ContainsFunc(p.of(id), re.MatchString) {
			return fmt.Errorf("%s is %q, not %s", p.key, p.of(id)[0], f.conf.Text(p.key))
		}
	}
	switch {
	case f.known != "" && !same(f.known, id):
		return fmt.Errorf("not the device that was lost: that is %s", f.known)
	case f.kind(id).name == "":
		return errors.New("no bridge is known for these numbers: name one by subdriver, " +
			"with vendorid and productid")
	case f.taken != "" && !f.conf.Flag("allow_duplicates"):
		return fmt.Errorf("fits, as does the one at %s, which cannot be opened: "+
			"tell one from the other, or give allow_duplicates", f.taken)
	}
	f.taken = id.Bus + "/" + id.Device
	return nil
}

// kind is the bridge that a device is.
func (f *usbSearch) kind(id transport.USBID) bridge {
	name := f.bridge
	if name == "" {
		at := slices.IndexFunc(usbIDs, func(u usbID) bool {
			return u.fits(id) && f.bridged(u) != ""
		})
		if at >= 0 {
			name = f.bridged(usbIDs[at])
		}
	}
	if at := slices.IndexFunc(bridges, func(b bridge) bool { return b.name == name }); at >= 0 {
		return bridges[at]
	}
	return bridge{}
}

// identity is what stays the same when a device is plugged in anew.
func identity(id transport.USBID) string {
	return fmt.Sprintf(identityForm, id.VendorID, id.ProductID, id.Vendor, id.Product, id.Serial)
}

const identityForm = "%04x:%04x %q %q %q"

// same reports whether a device can be the one with an identity. What that did not tell it may tell
// now: to read a text fails at times.
func same(known string, id transport.USBID) bool {
	was := transport.USBID{}
	fmt.Sscanf(known, identityForm,
		&was.VendorID, &was.ProductID, &was.Vendor, &was.Product, &was.Serial)
	return was.VendorID == id.VendorID && was.ProductID == id.ProductID &&
		(was.Vendor == "" || was.Vendor == id.Vendor) &&
		(was.Product == "" || was.Product == id.Product) &&
		(was.Serial == "" || was.Serial == id.Serial)
}

// index reads a number that was checked with the options; a word is 0.
func index(text string) int {
	n, _ := strconv.ParseUint(text, 0, 8)
	return int(n)
}
