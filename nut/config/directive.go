package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// A directive is what one line of a file of directives may be.
type directive[T any] struct {
	name string
	form string // the words that follow; brackets: may be missing; dots: any number
	set  func(c *T, a *args)
}

// repeatable are the directives of which each line counts.
var repeatable = []string{
	"MONITOR", "LISTEN", "NOTIFYMSG", "NOTIFYFLAG", "CERTHOST", "AT",
}

// secretive are the directives with a password. A password with blanks that lacks its quotes shifts
// the words behind it.
var secretive = []string{"MONITOR", "CERTIDENT"}

// words says how many words follow the name.
func (d directive[T]) words() (least, most int) {
	for w := range strings.FieldsSeq(d.form) {
		if !strings.HasPrefix(w, "[") {
			least++
		}
		most++
	}
	if strings.Contains(d.form, "...") {
		most = line.MaxWords
	}
	return least, most
}

// args are the words of one directive.
type args struct {
	r     *reader
	name  line.Word
	words []line.Word
	want  string // name and form
	hide  bool   // messages show no words
}

// apply runs every line of a file of directives through its table.
func apply[T any](r *reader, c *T, text []byte, table []directive[T]) {
	seen := make(map[string]line.Word)
	for _, l := range r.lines(text) {
		name := l.Words[0]
		i := slices.IndexFunc(table, func(d directive[T]) bool {
			return d.name == name.Text ||
				d.name == "DEBUG_MIN" && strings.EqualFold(d.name, name.Text)
		})
		if i < 0 {
			r.wrong(name, "invalid directive", suggest(name.Text, table))
			continue
		}
		d := table[i]
		a := &args{r: r, name: name, words: l.Words[1:], want: d.name + " " + d.form}
		if !a.fit(d.words()) {
			continue
		}
		if first, ok := seen[d.name]; ok && !slices.Contains(repeatable, d.name) {
			r.twice(name, first.Line, d.name)
		}
		seen[d.name] = name
		d.set(c, a)
	}
}

// fit reports whether there are enough words, and warns of words that nobody reads.
func (a *args) fit(least, most int) bool {
	switch {
	case len(a.words) > 0 && a.words[0].Text == "=":
		a.r.wrong(a.words[0], "invalid directive: there is no = in this file", a.want)
		return false
	case len(a.words) < least:
		a.r.wrong(a.name, fmt.Sprintf("invalid directive: %d words follow, %d are needed",
			len(a.words), least), a.want)
		return false
	case len(a.words) > most:
		a.hide = slices.Contains(secretive, a.name.Text)
		a.r.warn(a.shown(most), a.name.Text+" has words that nobody reads",
			a.want+`, with " around a text with blanks`)
	}
	return true
}

// shown is the i-th word as messages may show it.
func (a *args) shown(i int) line.Word {
	if a.hide {
		return hidden(a.words[i])
	}
	return a.words[i]
}

// wrong reports the i-th word; the directive is left out.
func (a *args) wrong(i int, cause string) { a.r.wrong(a.shown(i), a.name.Text+": "+cause, a.want) }

// warn reports the i-th word; the directive counts.
func (a *args) warn(i int, cause string) { a.r.warn(a.shown(i), a.name.Text+": "+cause, a.want) }

// has reports whether there is an i-th word.
func (a *args) has(i int) bool { return i < len(a.words) }

// text is the i-th word as it is.
func (a *args) text(i int) string { return a.words[i].Text }

// ascii is the i-th word as other programs read it.
func (a *args) ascii(i int) string { return a.r.ascii(a.words[i], a.shown(i)) }

// secret is ascii for what messages must not show.
func (a *args) secret(i int) string { return a.r.ascii(a.words[i], hidden(a.words[i])) }

// maxNumber keeps seconds within a time.Duration, and numbers within those of the C programs.
const maxNumber = 1<<31 - 1

// number reads the i-th word into to, unless it is wrong.
func (a *args) number(i, least int, to *int) bool {
	word := a.text(i)
	digits, n, ok := leadingNumber(word)
	switch {
	case !ok:
		a.wrong(i, "not a number")
		return false
	case n > maxNumber:
		a.wrong(i, fmt.Sprintf("more than %d", maxNumber))
		return false
	case n < least:
		a.wrong(i, fmt.Sprintf("less than %d", least))
		return false
	case digits != word:
		a.warn(i, "read as "+strconv.Itoa(n)+": what follows the number is not read")
	}
	*to = n
	return true
}

// leadingNumber is the number that a word begins with, as the C programs read it.
func leadingNumber(word string) (digits string, n int, ok bool) {
	end := 0
	if strings.HasPrefix(word, "-") || strings.HasPrefix(word, "+") {
		end = 1
	}
	for end < len(word) && '0' <= word[end] && word[end] <= '9' {
		end++
	}
	digits = word[:end]
	n, err := strconv.Atoi(digits)
	if err != nil && len(digits) > len("-9999999999") {
		return digits, maxNumber + 1, true // too long even for Atoi
	}
	return digits, n, err == nil
}

// seconds reads the i-th word as a number of seconds.
func (a *args) seconds(i, least int, to *time.Duration) {
	n := 0
	if a.number(i, least, &n) {
		*to = time.Duration(n) * time.Second
	}
}

// truth is what words mean yes and no, in any letter case.
func truth(word string) (v, ok bool) {
	switch strings.ToLower(word) {
	case "true", "on", "yes", "1":
		return true, true
	case "false", "off", "no", "0":
		return false, true
	}
	return false, false
}

// boolean reads the i-th word as yes or no.
func (a *args) boolean(i int, to *bool) {
	v, ok := truth(a.text(i))
	if !ok {
		a.wrong(i, "neither yes nor no")
		return
	}
	*to = v
}

// loose also takes any whole number, zero for no.
func (a *args) loose(i int, to *bool) {
	if n, err := strconv.Atoi(a.text(i)); err == nil {
		*to = n != 0
		return
	}
	a.boolean(i, to)
}

// digit is loose for settings where C programs take every word for 0.
func (a *args) digit(i int, to *bool) {
	a.loose(i, to)
	if _, err := strconv.Atoi(a.text(i)); err != nil {
		if v, ok := truth(a.text(i)); ok && v {
			a.warn(i, "read as 1: programs written in C read it as 0")
		}
	}
}

// suggest names the directive that was probably meant.
func suggest[T any](name string, table []directive[T]) string {
	const near = 2 // slips of the keyboard
	best, least := "", near+1
	for _, d := range table {
		if strings.EqualFold(d.name, name) {
			return d.name + " (capitals count)"
		}
		if n := distance(strings.ToUpper(name), d.name); n < least {
			best, least = d.name, n
		}
	}
	if best == "" || len(name) <= near {
		return "a directive of the manual page"
	}
	return best
}

// distance is how many letters must be changed, added or taken away to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
