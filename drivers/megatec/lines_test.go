package megatec

import (
	"strings"
	"testing"
)

// written are replies of devices, and examples of protocols' descriptions, of dialects of which
// there is no recording. Those with a number are of threads at github.com/networkupstools/nut.
var written = []struct {
	source  string
	dialect dialect
	ask     string
	reply   string
	want    string // "name=value", with commas between
}{
	{"the comments of NUT's masterguard table: an A 700", masterguard, "WH",
		"(00 10.06 03.09 A  700  + 0 Bat Pack-19        0 230 50.00 012 02.30 006.00 012.00 018 10 " +
			"40 160 276 47.00 53.00",
		"ups.id=00,device.model=A700-19,ups.power.nominal=700,ups.firmware=10.06,battery.voltage.nominal=27.60," +
			"experimental.runtime_full=720,experimental.recharge_time=64800,input.voltage.low.critical=160"},
	{"the same", masterguard, "Q3",
		"(00 225.9 225.9 229.3 043 50.0 02.27 23.4 017.03 100 00000000 00000000",
		"ups.status=OL,ups.load=43,battery.runtime=1023,battery.charge=100,ups.test.result=no test in progress"},
	{"the same: another unit, with its battery low, in bypass, part of a parallel set", masterguard, "Q3",
		"(01 226.9 226.9 226.9 039 50.0 02.30 21.8 000.00 000 01100000 00011000",
		"ups.status=OL LB BYPASS RB,ups.alarm=no battery connected,battery.charge=0"},
	{"the same", masterguard, "GBS,XX", "(01,000 0000 0360 0708 0712 0994 076 02.30",
		"battery.charge=0,experimental.battery.ageing.factor=708,experimental.battery.calibration.factor=76"},
	{"the same", masterguard, "GSN,XX", "(00,SSN=6A1212      2782",
		"device.part=6A1212,device.serial=2782"},
	{"the same", masterguard, "DRC,XX", "(00,1869:19:06:37", "device.uptime=161550397"},
	{"the same", masterguard, "FLT,XX",
		"(01,9 0010 1780:14:57:19 7 0046 0000:21:14:41 0 0000 0000:00:00:00 0 0000 0000:00:00:00 0 0000 0000:00:00:00",
		"experimental.fault_1=153845839: battery fault (10V)," +
			"experimental.fault_2=76481: inverter mode output short-circuit fault (46V)," +
			"experimental.fault_3=0: none"},
	{"#2818, a Gtec ZP120N", gtec, "Q4",
		"(236.7 243.2 212.1 220.1 230.4 002 001 50.0 371 372 041.3 22.9 IM",
		"ups.status=OL,input.voltage=236.7,input.voltage.fault=220.1,output.voltage=230.4,ups.load=1," +
			"battery.voltage=41.3,ups.temperature=22.9"},
	{"the same, on battery, low, battery test failed", gtec, "Q4",
		"(000.0 243.2 212.1 220.1 230.4 002 001 50.0 371 372 041.3 22.9 ABJ",
		"ups.status=OB LB RB,ups.alarm=Battery test failed!"},
	{"the comments of NUT's bestups table", bestUPS, "ID", "FOR,3000,120,120,20.0,100.6",
		"device.model=Fortress,ups.power.nominal=3000,battery.voltage.high=100.6"},
	{"the comments of NUT's voltronic-qs table", voltronicQS, "QI",
		"(100 00979 50.0 000.3 177 290 0 0000010000112000",
		"battery.runtime=979,output.current=0.3,input.transfer.low=177"},
	{"the comments of NUT's voltronic table: a fault with the readings of the moment", voltronic, "QFS",
		"(14 212.1 50.0 005.6 49.9 006 010.6 343.8 ---.- 026.2 021.8 01101100",
		"ups.alarm=UPS Fault! Inverter short-circuited."},
	{"the same: P09 has three voltages here", voltronic, "Q3YV", "(123.4 124.4 125.4",
		"output.bypass.L1-N.voltage=123.4,output.bypass.L3-N.voltage=125.4"},
	{"#1652, a CyberPower of 10 kVA", voltronic, "QGS",
		"(219.5 59.9 220.4 60.0 002.8 007 361.8 361.8 272.9 ---.- 022.9 100000000010",
		"ups.status=OL,battery.voltage=272.90,ups.beeper.status=enabled,ups.type=online"},
	{"#674, on battery", megatec, "Q1", "(000.0 000.0 230.0 000 00.0 13.2 29.0 10001000",
		"ups.status=OB,battery.voltage=13.20,output.voltage=230.0"},
	{"#2219, a Vultech UPS1400VA-LFP", megatec, "Q1",
		"(231.0 000.0 231.0 003 49.0 13.7 30.8 00001000", "ups.status=OL,battery.voltage=13.70"},
	{"the same: nothing but a firmware", megatec, "I", "#                           V6.00     ",
		"ups.firmware=V6.00"},
	{"#2405 tells of an Armac with a 2 among its bits while it makes 214 V of 247 V; the place of " +
		"the 2 and the other numbers are guessed", megatec, "Q1",
		"(247.0 000.0 214.0 014 50.0 13.7 30.8 00201001", "ups.status=OL TRIM"},
	{"the table of PI30: overload, fan locked", axpert, "QPIWS",
		"(000000000010000010000000000000000000", "ups.status=OL OVER,ups.alarm=Device warnings: Fan locked."},
	{"the same: battery low, and the sun gone, which is no alarm", axpert, "QPIWS",
		"(10000000000010000000000000000000", "ups.status=OL LB,ups.alarm="},
	{"the comments of NUT's axpert table: bits that the firmware does not know", axpert, "QPIWS",
		"(--0000000000--00000---00000-----------------------------", "ups.status=OL,ups.alarm="},
}

func TestWrittenLines(t *testing.T) {
	for _, w := range written {
		got, err := read(w.dialect, w.ask, w.reply)
		if err != nil {
			t.Errorf("%s: %s: %v", w.source, w.ask, err)
			continue
		}
		for _, want := range strings.Split(w.want, ",") {
			name, value, _ := strings.Cut(want, "=")
			if got[name] != value {
				t.Errorf("%s: %s: %s = %q, want %q", w.source, w.ask, name, got[name], value)
			}
		}
	}
}
