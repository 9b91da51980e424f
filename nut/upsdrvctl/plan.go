package upsdrvctl

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
)

// A unit is one UPS of ups.conf, with what matters here.
type unit struct {
	name, driver, port string
	order              int // sdorder
	patience           time.Duration
	tries              int
	pause              time.Duration
}

// A site is what ups.conf says.
type site struct {
	units      []unit
	driverPath string
	statePath  string
	hurry      bool // nowait
}

// defaults are those of the manual page.
var defaults = unit{patience: 75 * time.Second, tries: 1, pause: 5 * time.Second}

// numbers are the keys with numbers, which may stand before the first section as well.
var numbers = []struct {
	key string
	min int
	set func(u *unit, n int)
}{
	{"sdorder", never, func(u *unit, n int) { u.order = n }},
	{"maxstartdelay", 0, func(u *unit, n int) { u.patience = time.Duration(n) * time.Second }},
	{"maxretry", 1, func(u *unit, n int) { u.tries = n }},
	{"retrydelay", 0, func(u *unit, n int) { u.pause = time.Duration(n) * time.Second }},
}

// never is the sdorder of a UPS that is not switched off unless it is named.
const never = -1

// most keeps numbers of seconds within a time.Duration.
const most = 1 << 31

// survey reads ups.conf. A number that is none is reported, and the default counts: a shutdown
// must not fail for a slip in the file.
func survey(u *config.UPS) (s site, problems []string) {
	text := func(key string) string { v, _ := u.Global.Get(key); return v }
	s = site{driverPath: text("driverpath"), statePath: text("statepath")}
	_, s.hurry = u.Global.Get("nowait")
	global := defaults
	problems = global.apply(u.Global)
	for _, section := range u.Sections {
		at := slices.IndexFunc(s.units, func(x unit) bool { return x.name == section.Name })
		if at < 0 { // else the section is continued
			next := global
			next.name = section.Name
			s.units = append(s.units, next)
			at = len(s.units) - 1
		}
		problems = append(problems, s.units[at].apply(section)...)
	}
	s.units = slices.DeleteFunc(s.units, func(x unit) bool {
		if x.driver == "" {
			problems = append(problems,
				fmt.Sprintf("UPS %s: driver is missing: it is left out", x.name))
		}
		return x.driver == ""
	})
	return s, problems
}

// apply takes the keys of a section.
func (u *unit) apply(s config.Section) (problems []string) {
	if v, ok := s.Get("driver"); ok {
		u.driver = v
	}
	if v, ok := s.Get("port"); ok {
		u.port = v
	}
	for _, k := range numbers {
		v, ok := s.Get(k.key)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < k.min || n > most {
			problems = append(problems,
				fmt.Sprintf("%s = %q: want a number, %d or more", k.key, v, k.min))
			continue
		}
		k.set(u, n)
	}
	return problems
}

// rounds sorts units into those that are switched off at the same time, in the order of the
// rounds.
func rounds(units []unit) [][]unit {
	sorted := slices.DeleteFunc(slices.Clone(units), func(u unit) bool { return u.order == never })
	slices.SortStableFunc(sorted, func(a, b unit) int { return a.order - b.order })
	var all [][]unit
	for i, u := range sorted {
		if i == 0 || u.order != sorted[i-1].order {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], u)
	}
	return all
}

// pick returns the unit of a name, or all for no name.
func (s site) pick(name string) ([]unit, error) {
	if name == "" {
		return s.units, nil
	}
	for _, u := range s.units {
		if u.name == name {
			return []unit{u}, nil
		}
	}
	return nil, fmt.Errorf("UPS %s not found in ups.conf", name)
}
