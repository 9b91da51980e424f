package nut

// commands are the instant commands that stand for themselves. Commands of outlets and groups are
// made from them.
var commands = map[string]string{
	"load.off":       "Switch the load off now",
	"load.on":        "Switch the load on now",
	"load.off.delay": "Switch the load off after a delay in seconds",
	"load.on.delay":  "Switch the load on after a delay in seconds",
	"load.cycle":     "Switch the load off and, shortly after, on again",

	"shutdown.default":         "Do what the driver does when the host asks for its power to be cut",
	"shutdown.return":          "Switch the load off, and on again when mains power is back",
	"shutdown.stayoff":         "Switch the load off and leave it off",
	"shutdown.stop":            "Call off a shutdown that has begun",
	"shutdown.reboot":          "Switch the load off for a moment, now",
	"shutdown.reboot.graceful": "Switch the load off for a moment, after a delay",

	"test.panel.start":         "Test the lamps and the beeper",
	"test.panel.stop":          "End the test of lamps and beeper",
	"test.failure.start":       "Act as if the mains had failed",
	"test.failure.stop":        "End the act of a mains failure",
	"test.battery.start":       "Test the battery",
	"test.battery.start.quick": "Test the battery, briefly",
	"test.battery.start.deep":  "Test the battery until it is nearly empty",
	"test.battery.start.low":   "Test the battery until it is low",
	"test.battery.stop":        "End the test of the battery",
	"test.system.start":        "Test the electronics",

	"calibrate.start": "Measure the runtime by running the battery down",
	"calibrate.stop":  "End the measuring of the runtime",
	"bypass.start":    "Feed the load around the inverter",
	"bypass.stop":     "Feed the load through the inverter again",
	"eco.start":       "Begin to save energy in the vendor's way",
	"eco.stop":        "End the saving of energy",

	"reset.input.minmax": "Forget the lowest and highest input voltage",
	"reset.watchdog":     "Tell the watchdog of the UPS that the host is alive",

	"beeper.on":      "Let the beeper sound now",
	"beeper.off":     "Silence the beeper, now and later",
	"beeper.enable":  "Let the beeper sound when there is a reason",
	"beeper.disable": "Keep the beeper from sounding",
	"beeper.mute":    "Silence the beeper until the next event",
	"beeper.toggle":  "Enable the beeper if it is disabled, disable it if it is enabled",

	"outlet.load.off":              "Switch the outlet off now",
	"outlet.load.on":               "Switch the outlet on now",
	"outlet.load.cycle":            "Switch the outlet off and, shortly after, on again",
	"outlet.load.off.delay":        "Switch the outlet off after a delay in seconds",
	"outlet.load.on.delay":         "Switch the outlet on after a delay in seconds",
	"outlet.shutdown.return":       "Switch the outlet off, and on again when mains power is back",
	"outlet.group.load.off":        "Switch the outlet group off now",
	"outlet.group.load.on":         "Switch the outlet group on now",
	"outlet.group.load.cycle":      "Switch the outlet group off and, shortly after, on again",
	"outlet.group.shutdown.return": "Switch the outlet group off, and on again when mains power is back",

	"driver.killpower":         "Cut the power as at the end of a host's shutdown; the driver must allow it",
	"driver.reload":            "Read the driver's settings again and apply what can change while it runs",
	"driver.reload-or-error":   "Read the driver's settings again; fail if one needs a restart",
	"driver.reload-or-exit":    "Read the driver's settings again; end the driver if one needs a restart",
	"driver.reload-or-restart": "Read the driver's settings again; restart the driver if one needs it",
	"driver.exit":              "End the driver",
}
