package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// device is the one of the protocol notes, section 11.
func device() *Device {
	d := New()
	for _, v := range []Var{
		{Name: "ups.status", Value: "OL"},
		{Name: "ups.id", Value: "x", Flags: RW | String, Max: 8},
		{Name: "input.transfer.low", Value: "103", Flags: RW | Number, Enum: []string{"103", "100", "97"}},
		{Name: "battery.charge.low", Value: "20", Flags: RW | Number, Ranges: []Range{{10, 30}, {50, 60}}},
		{Name: "noaux.string", Value: "a", Flags: RW | String},
		{Name: "ups.delay.start", Value: "-1", Flags: RW | Number, Ranges: []Range{{-1, 5}}},
	} {
		d.Set(v.Name, v.Value)
		d.SetFlags(v.Name, v.Flags)
		d.SetMax(v.Name, v.Max)
		for _, e := range v.Enum {
			d.AddEnum(v.Name, e)
		}
		for _, r := range v.Ranges {
			d.AddRange(v.Name, r)
		}
	}
	return d
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name, variable, value string
		want                  error
	}{
		{"a string within its length", "ups.id", "12345678", nil},
		{"an empty string is a value", "ups.id", "", nil},
		{"a string one too long", "ups.id", "123456789", ErrTooLong},
		{"the name in another letter case", "UPS.ID", "123456789", ErrTooLong},
		{"one of an enum", "input.transfer.low", "97", nil},
		{"not in the enum", "input.transfer.low", "101", ErrInvalid},
		{"an enum wants the whole value", "input.transfer.low", "97 ", ErrInvalid},
		{"within the second range", "battery.charge.low", "50", nil},
		{"between two ranges", "battery.charge.low", "40", ErrInvalid},
		{"the number that the value begins with counts", "battery.charge.low", "25.7abc", nil},
		{"text counts as 0", "battery.charge.low", "abc", ErrInvalid},
		{"a negative bound", "ups.delay.start", " -1", nil},
		{"a number far beyond any integer", "battery.charge.low", strings.Repeat("9", 400), ErrInvalid},
		{"not to be set", "ups.status", "OB", ErrReadOnly},
		{"not there", "nosuch", "1", ErrNoVar},
		{"a string without a length", "noaux.string", "b", ErrNoLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := device().Check(tt.variable, tt.value); !errors.Is(err, tt.want) {
				t.Errorf("Check(%q, %q) = %v, want %v", tt.variable, tt.value, err, tt.want)
			}
		})
	}
}

func TestNamesCompareWithoutCaseAndKeepTheirFirstSpelling(t *testing.T) {
	d := New()
	d.Set("Battery.Charge", "90")
	if d.Set("BATTERY.charge", "90") {
		t.Error("the same value under another spelling is a change")
	}
	if !d.Set("battery.charge", "91") {
		t.Error("another value is no change")
	}
	v, ok := d.Get("BATTERY.CHARGE")
	if !ok || v.Name != "Battery.Charge" || v.Value != "91" || len(d.Vars()) != 1 {
		t.Errorf("Get = %+v, %v, %d variables; want Battery.Charge = 91 alone", v, ok, len(d.Vars()))
	}
	long := strings.Repeat("a", 3*foldSize)
	d.Set(long, "1")
	if d.Value(strings.ToUpper(long)) != "1" {
		t.Error("a long name is not found")
	}
}

func TestAChangeOfLetterCaseOnlyIsAChange(t *testing.T) {
	d := New()
	d.Set("ups.id", "office")
	if !d.Set("ups.id", "Office") || d.Value("ups.id") != "Office" {
		t.Errorf("ups.id = %q, want Office", d.Value("ups.id"))
	}
}

func TestListsAreSorted(t *testing.T) {
	d := New()
	for _, name := range []string{"ups.status", "Ups.id", "battery.charge", "ups", "UPS.mfr"} {
		d.Set(name, "")
		d.AddCommand(name)
	}
	want := []string{"battery.charge", "ups", "Ups.id", "UPS.mfr", "ups.status"}
	var got []string
	for _, v := range d.Vars() {
		got = append(got, v.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("Vars = %q, want %q", got, want)
	}
	if !slices.Equal(d.Commands(), want) {
		t.Errorf("Commands = %q, want %q", d.Commands(), want)
	}
}

func TestEnumsAndRangesKeepTheOrderOfTheDriver(t *testing.T) {
	d := New()
	d.Set("x", "1")
	for _, e := range []string{"b", "a", "b", "B"} {
		d.AddEnum("x", e)
	}
	for _, r := range []Range{{50, 60}, {10, 30}, {50, 60}, {9, 1}, {50, 70}} {
		d.AddRange("x", r)
	}
	v, _ := d.Get("x")
	if got, want := fmt.Sprint(v.Enum, v.Ranges), "[b a B] [{50 60} {10 30} {50 70}]"; got != want {
		t.Errorf("enum and ranges = %s, want %s", got, want)
	}
	d.DelEnum("x", "a")
	d.DelRange("x", Range{10, 30})
	if got, want := fmt.Sprint(v.Enum, v.Ranges), "[b B] [{50 60} {50 70}]"; got != want {
		t.Errorf("after deleting = %s, want %s", got, want)
	}
}

func TestNothingHangsOnAVariableThatIsNotThere(t *testing.T) {
	d := New()
	if d.AddEnum("x", "1") || d.AddRange("x", Range{1, 2}) || d.SetFlags("x", RW) || d.SetMax("x", 1) ||
		d.Delete("x") || d.DelEnum("x", "1") || d.DelRange("x", Range{1, 2}) || d.DelCommand("x") {
		t.Error("something changed")
	}
}

func TestADeviceHasLimits(t *testing.T) {
	d := New()
	for i := range MaxVars + 10 {
		d.Set(fmt.Sprintf("v%d", i), "1")
	}
	for i := range MaxCommands + 10 {
		d.AddCommand(fmt.Sprintf("c%d", i))
	}
	for i := range MaxEnum + 10 {
		d.AddEnum("v0", fmt.Sprint(i))
	}
	v, _ := d.Get("v0")
	if len(d.Vars()) != MaxVars || len(d.Commands()) != MaxCommands || len(v.Enum) != MaxEnum {
		t.Errorf("%d variables, %d commands, %d enum values", len(d.Vars()), len(d.Commands()), len(v.Enum))
	}
	if !d.Set("v0", "2") {
		t.Error("a full device does not take new values of its variables")
	}
}

func TestGetDoesNotAllocate(t *testing.T) {
	d := device()
	if n := testing.AllocsPerRun(100, func() { d.Get("Ups.Status") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
