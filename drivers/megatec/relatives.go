package megatec

// The close relatives: the numbers of Q1 under one name or another, the rating, and three ways to
// ask who is there.
var (
	megatec = dialect{name: "megatec", title: "Megatec",
		status: query{send: "Q1", read: statusLine},
		claim:  []query{askVendor},
		once:   []query{askRating, askVendor},
		slow:   []query{askRuntime},
		bare:   true,
		orders: usualOrders, settings: usualDelays,
	}
	// oldMegatec and mustek call the status by other names.
	oldMegatec = dialect{name: "megatec/old", title: "Megatec/old",
		status: query{send: "D", read: statusLine},
		once:   []query{askRating, askVendor},
		bare:   true,
		orders: usualOrders, settings: usualDelays,
	}
	mustek = dialect{name: "mustek", title: "Mustek",
		status: query{send: "QS", read: statusLine},
		once:   []query{askRating, askVendor},
		bare:   true,
		orders: usualOrders, settings: usualDelays,
	}
	zinto = dialect{name: "zinto", title: "Zinto",
		status: query{send: "Q1", read: statusLine},
		claim:  []query{askFirmware},
		once:   []query{askRating, askFirmware},
		bare:   true,
		orders: usualOrders, settings: usualDelays,
	}
	// q1Only is for devices that say who they are in no way. Many of them know their rating.
	q1Only = dialect{name: "q1", title: "Q1",
		status: query{send: "Q1", read: statusLine},
		once:   []query{askRating},
		bare:   true,
		orders: usualOrders, settings: usualDelays,
	}
	// hunnox knows its charge. Nothing but the USB bridge of these units tells it from zinto, so
	// it is never found by itself on a serial line.
	hunnox = dialect{name: "hunnox", title: "Hunnox",
		status: query{send: "Q1", read: statusLine},
		also:   []query{{send: "BL", read: columns("BL", 5, charge("battery.charge").at(2, 4))}},
		claim:  []query{askFirmware},
		once:   []query{askRating, askFirmware},
		bare:   true,
		orders: usualOrders,
		settings: []setting{
			shutdownDelay(12, 600).by(60),
			startDelay(0, maxStartSeconds).by(0),
		},
	}
	// mecer acknowledges its commands, and takes tests in tenths of a minute.
	mecer = dialect{name: "mecer", title: "Mecer",
		status: query{send: "Q1", read: statusLine},
		claim:  []query{askP98},
		once:   []query{askP98, askRating, askVendor},
		orders: but(usualOrders, order{name: "test.battery.start", wire: mecerTest}), settings: usualDelays,
	}
	// innovatae tells only its firmware. Its status is that of many others.
	innovatae = dialect{name: "innovatae", title: "INNOVATAE", onRequest: true,
		status: query{send: "Q1", read: statusLine},
		once: []query{askRating, {send: "I", kind: vendorQuery,
			read: columns("#", leastIdentity, text("ups.firmware").at(28, 35))}},
		orders: usualOrders, settings: usualDelays,
		fixed: []value{{variable: "device.mfr", text: "Ippon"}},
	}
)

// askRuntime asks I again where the reply has a runtime.
var askRuntime = query{send: "I", read: vendorLine, kind: vendorQuery,
	when: func(d *device) bool { return d.s.Value("ups.serial") != "" }}

// askFirmware is I by another name.
var askFirmware = query{send: "FW?", read: usualVendorLine, kind: vendorQuery}

// p98 is ups.firmware.aux of the present version of mecer.
const p98 = "Voltronic Power P98"

// askP98 is answered by (PI98, or by (NAK of older firmware that knows no more than that it is
// asked.
var askP98 = query{send: "QPI", read: func(line []byte, r *reading) error {
	switch string(line) {
	case "(PI98":
		r.set("ups.firmware.aux", p98)
	case "(NAK":
	default:
		return refusal("(PI98", line)
	}
	return nil
}}
