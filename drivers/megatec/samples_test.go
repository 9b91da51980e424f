package megatec

// samples are replies by the question, or by a dialect and the question. They are those that the
// protocol's descriptions give as examples; where those repeat a number it was changed, so that no
// two fields have the same.
var samples = map[string]string{
	"Q1":  "(215.0 195.0 230.0 014 49.0 22.7 30.0 00100000",
	"QS":  "(215.0 195.0 230.0 014 49.0 22.7 30.0 00100000",
	"D":   "(215.0 195.0 230.0 014 49.0 22.7 30.0 00100000",
	"F":   "#220.0 004 024.0 50.0",
	"I":   "#NOT_A_LIVE_UPS  TESTING    TESTING   ",
	"FW?": "#NOT_A_LIVE_UPS  TESTING    TESTING   ",

	"megatec I":   "#ACMEPOW9876543 M1000 0123 VERSION-07",
	"innovatae I": "#222222222222222222222222222R1.00.48  ",

	"omron Bl ?": "098", "omron RTS": "0699", "omron TPb": "+22.5", "omron Lf ?": "49.9",
	"omron PSNR": "A0Z25110005109G ", "omron FWV": "M:0.17(S:2.00)", "omron BRR": "20260730",
	"omron UN": "1125W/1250VA/048V/160W/020W",

	"mecer QPI": "(PI98", "hunnox BL": "BL087",
	"voltronic QPI":   "(PI01",
	"voltronic QRI":   "(230.0 004 024.0 50.0",
	"voltronic QMD":   "(#######OLHVT1K0 ###1000 80 3/1 230 240 02 12.0",
	"voltronic QMF":   "(#######BOH",
	"voltronic QVFW":  "(VERFW:00322.02",
	"voltronic QID":   "(685653211455",
	"voltronic QGS":   "(234.9 51.0 229.8 50.0 003.4 012 369.1 ---.- 026.5 ---.- 018.8 100010000001",
	"voltronic QMOD":  "(L",
	"voltronic QFS":   "(14",
	"voltronic QWS":   "(0000000000000000000000000000000000000000000000000000000000000000",
	"voltronic QBV":   "(026.5 02 01 068 255",
	"voltronic QLDL":  "(005 080",
	"voltronic Q3PV":  "(101.1 102.2 103.3 104.4 105.5 106.6",
	"voltronic Q3PC":  "(010 011 012",
	"voltronic Q3OV":  "(111.1 112.2 113.3 114.4 115.5 116.6",
	"voltronic Q3OC":  "(013 014 015",
	"voltronic Q3LD":  "(016 017 018",
	"voltronic Q3YV":  "(121.1 122.2 123.3 124.4 125.5 126.6",
	"voltronic QFLAG": "(EpashcjDbroegfl",
	"voltronic QSK1":  "(1", "voltronic QSK2": "(0", "voltronic QSK3": "(1", "voltronic QSK4": "(0",
	"voltronic QSKT1": "(008", "voltronic QSKT2": "(012", "voltronic QSKT3": "(007",
	"voltronic QSKT4": "(003",
	"voltronic QHE":   "(242 218", "voltronic QFRE": "(53.0 47.0", "voltronic QBT": "(01",
	"voltronic RE0": "#20",

	"voltronic-axpert QPI":   "(PI30",
	"voltronic-axpert QVFW":  "(VERFW:00074.50",
	"voltronic-axpert QVFW2": "(VERFW2:00000.31",
	"voltronic-axpert QVFW3": "(VERFW3:00000.32",
	"voltronic-axpert QVFW4": "(VERFW4:00000.33",
	"voltronic-axpert QID":   "(12345679012345",
	"voltronic-axpert QFLAG": "(EakxyDbjuvz",
	"voltronic-axpert QPIRI": "(229.0 21.7 230.0 50.0 22.7 5001 5000 48.0 46.0 42.0 56.4 54.0 0 30 060 " +
		"0 0 2 9 01 0 1 54.0 0 1 000",
	"voltronic-axpert QMD": "(#####INVERTEX5K ###5000 99 1/3 230 231 04 12.0",
	"voltronic-axpert QDI": "(230.0 50.0 0030 42.0 54.0 56.4 46.0 60 0 0 2 1 0 0 0 0 1 1 0 0 1 0 54.0 0 " +
		"1 000",
	"voltronic-axpert QPIGS": "(235.2 50.1 236.2 50.2 0446 0382 008 440 54.00 000 098 0034 0003 071.0 " +
		"53.10 00007 00010101 00 00 00000 110",
	"voltronic-axpert QPIGS2": "(0011 120.5 52.10 00000 00000000 0000 0000 0012 121.5 52.20 00000 00000000 0000",
	"voltronic-axpert QPIWS":  "(00000000000000000000000000000000",
	"voltronic-axpert QMOD":   "(L",

	"voltronic-qs M": "H", "voltronic-qs-hex M": "T",
	"voltronic-qs QI":     "(099 02920 50.1 003.0 169 279 0 0000010000102000",
	"voltronic-qs-hex QS": "#lu 5 l\x94 5 \x03 Q\x9a (\x02\x10\x87 p \x89 ) \xb2",

	"bestups ID": "FOR,1500,120,121,20.0,27.6", "bestups RT": "015", "bestups BP?": "02",
	"bestups M": "0",

	"masterguard WH": "(07 01.06 02.03 A  700-19                      B 230 50.00 036 02.00 006.30 " +
		"003.15 008 00 40 180 270 47.00 53.00",
	"masterguard Q3":     "(00 225.9 226.9 229.3 043 50.0 02.27 23.4 017.03 099 00000000 00000000",
	"masterguard GS,XX":  "(00,00 2 1",
	"masterguard GBS,XX": "(00,087 0017 0000 0708 0712 0994 115 02.28",
	"masterguard GSN,XX": "(00,SSN=6A1212      2782",
	"masterguard DRC,XX": "(00,1869:19:06:37",
	"masterguard PNV":    "(PNV=230",
	"masterguard MSO":    "(220 230 240",
	"masterguard FLT,XX": "(00,1 0390 0012:03:04:05 3 0071 0011:02:03:04 5 0130 0010:01:02:03 " +
		"9 0043 0009:00:01:02 0 0000 0000:00:00:00",

	"ablerex Q5": "(\x01\xf3ab\xff\xff\x05\x30\x03\xe8\x00\x2b\x00\x07\x00\x15wxyz",
	"ablerex At": "(\x00\x00\x0e\x11", "ablerex TR": "#OK  ",

	"Q6": "(227.0 225.6 230.0 50.1 229.9 228.9 227.9 49.9 007 008 009 327.8 326.8 23.0 06932 100 32 " +
		"00000000 00000000 11",
	"WA":                 "(001.1 001.2 001.3 001.4 001.5 001.6 001.7 001.8 006.5 006.6 006.7 012 00000000",
	"BPS":                "(230.4 231.4 232.4 49.8",
	"innovart31 FW?":     "05516-1100",
	"innovart33 FW?":     "05516-1100",
	"innovart31 SASV07?": "GASV07DN05K10KB100004      ",
	"innovart33 SASV07?": "GASV07DN05K10KB100004      ",
	"innovart31 Q6": "(227.0 225.6 230.0 50.1 229.9 000.0 000.0 49.9 007 000 000 327.8 000.0 23.0 06932 " +
		"100 32 00000000 00000000 11",
	"Q2": "(227.0 225.6 230.0 195.0 229.9 228.9 227.9 007 008 009 50.1 327.8 23.0 00000000 0123.5 " +
		"098 22 11 22 33 44 12345678901 11",
	"gtec Q4": "(236.7 243.2 212.1 220.1 230.4 002 001 50.0 371 372 041.3 22.9 IM",
}
