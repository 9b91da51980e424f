package upsd

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// account returns the client's user if name and password are right. They are looked up at each
// request, so that a reload also binds those who are connected. A user without a password is
// nobody.
func (c *session) account() *config.User {
	u := c.s.users.Lookup(c.user)
	password := ""
	if u != nil {
		password = u.Password
	}
	if same(password, c.pass) && password != "" {
		return u
	}
	if !c.guessed { // a session has one guess; asking again tells nothing new
		c.guessed = true
		c.penalty = c.s.guesses.wrong(c.addr, c.heard)
		c.grumble("Client %s: wrong user name or password", c.who())
	}
	return nil
}

// same compares in a time that tells neither the right password nor its length.
func same(right, given string) bool {
	a, b := sha256.Sum256([]byte(right)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// Wrong passwords are answered late, and later the more of them come from an address: guessing
// takes time. Only wrong ones wait, and only the session that asked, so that nobody is locked out
// who knows his password, not even at the address of one who guesses.
const (
	freeGuesses   = 3 // anybody may mistype
	firstDelay    = 100 * time.Millisecond
	longestDelay  = 2 * time.Second       // a misconfigured monitor must not be late for its other UPSes
	guessInterval = 50 * time.Millisecond // between two answers to one address, of all its sessions
	longestQueue  = 10 * time.Second      // to which that may add up
	forgiveAfter  = 10 * time.Second      // a wrong password of an address is forgotten
	maxGuessers   = 1024                  // addresses remembered
)

// guesses are the wrong passwords of late, by address.
type guesses struct {
	by    map[netip.Prefix]*guesser
	order []netip.Prefix // oldest first
}

type guesser struct {
	wrong int
	last  env.Instant
	next  env.Instant // when the last answer that waits is given
}

// wrong counts a wrong password and returns how long the answer must wait.
func (g *guesses) wrong(addr string, now env.Instant) time.Duration {
	from := g.from(neighbours(addr))
	forgiven := int(now.Sub(from.last) / forgiveAfter)
	from.wrong = max(0, from.wrong-forgiven) + 1
	from.last = now
	extra := from.wrong - freeGuesses
	if extra <= 0 {
		return 0
	}
	delay := longestDelay
	if extra < 6 {
		delay = min(delay, firstDelay<<(extra-1))
	}
	at := max(now.Add(delay), from.next.Add(guessInterval))
	from.next = min(at, now.Add(longestQueue))
	return from.next.Sub(now)
}

// from finds an address, or forgets the oldest one for it.
func (g *guesses) from(p netip.Prefix) *guesser {
	if found, ok := g.by[p]; ok {
		return found
	}
	if g.by == nil {
		g.by = make(map[netip.Prefix]*guesser)
	}
	if len(g.order) >= maxGuessers {
		delete(g.by, g.order[0])
		g.order = g.order[1:]
	}
	found := new(guesser)
	g.by[p], g.order = found, append(g.order, p)
	return found
}

// neighbours are the addresses that count as one: those of an IPv6 network are all its owner's.
func neighbours(addr string) netip.Prefix {
	ip, _ := netip.ParseAddr(addr) // the zero value, for what is no address, has no prefix either
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits)
	return p
}
