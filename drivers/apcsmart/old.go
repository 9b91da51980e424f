package apcsmart

import "regexp"

// old are the commands of devices that cannot be asked for them, by firmware.
var old = []struct{ firmware, commands string }{
	{"0XI", "@789ABCDEFGKLMNOPQRSTUVWXYZcefgjklmnopqrsuwxz/<>^\x0c\x16"},
	{"0XM", "@789ABCDEFGKLMNOPQRSTUVWXYZcefgjklmnopqrsuwxz/<>^\x0c\x16"},
	{"0ZI", "@79ABCDEFGKLMNOPQRSUVWXYZcefgjklmnopqrsuxz/<>"},
	{"5UI", "@79ABCDEFGKLMNOPQRSUVWXYZcefgjklmnopqrsuxz/<>"},
	{"5ZM", "@79ABCDEFGKLMNOPQRSUVWXYZcefgjklmnopqrsuxz/<>"},
	{"6QD", usual}, {"6QI", usual}, {"6TD", usual}, {"6TI", usual},
	{"7QD", usual}, {"7QI", usual}, {"7TD", usual}, {"7TI", usual},
	{"6JI", "@789ABCFGKLMNOPQSTUVWXYZfg"},
	{"7II", "@79ABCEFGKLMNOPQRSUVWXYZcfg"},
	{"9II", "@79ABCEFGKLMNOPQRSUVWXYZcfg"},
	{"9GI", "@79ABCEFGKLMNOPQRSUVWXYZcfg"},
	{"8II", "@79ABCEFGKLMNOPQRSUVWXYZcfg"},
	{"8GI", "@79ABCEFGKLMNOPQRSUVWXYZfg"},
	{"8QD", usual}, {"8QI", usual}, {"8TD", usual}, {"8TI", usual},
	{backCS, "@\x01ABPQRSUYbdfgjmnx9"},
}

// usual are the commands of most of them.
const usual = "@79ABCDEFGKLMNOPQRSUVWXYZcefgjklmnopqrsuxz"

// backCS is the one firmware in the table that is not old: @000 works there.
const backCS = "5.4.D"

// ancient devices answer V with two hexadecimal digits.
var ancient = regexp.MustCompile(`^[0-9A-Fa-f]{2}$`)

const ancientCommands = "@789ABCFGKLMNOPQRSUVWXYZ"

// basic is what every device may know that tells nothing about itself.
const basic = "CPLOfB\x01n/b"

// commandsOf finds the commands of an old firmware.
func commandsOf(firmware string) (commands string, ok bool) {
	for _, o := range old {
		if o.firmware == firmware {
			return o.commands, true
		}
	}
	if ancient.MatchString(firmware) {
		return ancientCommands, true
	}
	return "", false
}

// unprobed are characters that are never sent only because the device lists them: they do
// something, or are the alphabet of the protocol itself.
const unprobed = "\x1a\x7f~')-+8QRYayz"

// describes is what an answer to a looks like: the version of the protocol, the alerts, the
// commands, and maybe those of the second set.
var describes = regexp.MustCompile(`(?s)^[0-9]\.([^.]*)\.([^.]+)(?:\.([^.]+))?$`)
