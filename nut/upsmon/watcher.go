package upsmon

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// Limits of a watcher.
const (
	loginRetry = 30 * time.Second       // how long after a refused LOGIN it is tried again
	countEvery = 250 * time.Millisecond // between two NUMLOGINS while secondaries log out
	logoutTime = time.Second            // what the farewell may take
	alarmTime  = time.Second            // what asking for the text of an alarm may take
	standstill = 5 * time.Second        // a task that is so much too late did not run meanwhile
	forceRetry = 500 * time.Millisecond // between two tries to set FSD on a server that is away
	forceTry   = 2 * time.Second        // what one of them may take
)

// An order is what the main task wants of a watcher. Orders add up: none is lost while the watcher
// is busy, and one given twice is carried out once.
type order uint32

const (
	reckon  order = 1 << iota // the interval has changed: work out anew when to poll
	look                      // poll now
	renew                     // poll now, and report whatever the answer is
	force                     // set FSD, then count the logins
	stopped                   // stop counting
	quit                      // log out and end
)

// orders are those that a watcher has not taken yet.
type orders struct {
	given atomic.Uint32
	w     env.Waiter
}

func (o *orders) give(x order) {
	o.given.Or(uint32(x))
	o.w.Wake()
}

// take waits for orders until a time; its error wraps ErrTimeout or ErrStopped.
func (o *orders) take(e env.Env, until env.Instant) (order, error) {
	for {
		if x := o.given.Swap(0); x != 0 {
			return order(x), nil
		}
		if err := o.w.Wait(e, until); err != nil {
			return 0, err
		}
	}
}

// A report is what a watcher tells the main task. Exactly one of its parts is set.
type report struct {
	from   *watcher
	kind   kind
	status Status
	alarm  string        // ups.alarm, when the status has ALARM
	fsdAge time.Duration // for how long FSD has been set, when it was from the first; else negative
	err    error
	others int // logged in besides this host; -1 when nobody can tell
	signal env.Signal
	deed   env.Deed
	gap    time.Duration // in which nobody listened
	set    time.Duration // by which the calendar was moved
}

// kind says which part of a report is set.
type kind uint8

const (
	heard    kind = iota // status and alarm
	failed               // err
	forced               // err, nil when FSD is set
	logins               // others
	left                 // the watcher has logged out
	signal               // signal; from is nil
	done                 // deed, of the parent; from is nil
	orphaned             // none: the parent is dead; from is nil
	jumped               // gap and set
)

// plan is what all watchers share with the main task.
type plan struct {
	out      *env.Inbox[report]
	interval atomic.Int64 // nanoseconds between polls
	debug    atomic.Int32 // see debugf
}

// A watcher polls one UPS, in a task of its own.
type watcher struct {
	*plan
	line     config.Monitor
	ups      string
	host     string
	port     int
	opt      client.Options
	connect  time.Duration // what Dial may take, see client.Wait
	throttle int           // POLLFAIL_LOG_THROTTLE_MAX

	orders orders
	scope  env.Scope
	heard  atomic.Int64 // when a status was last accepted

	// What follows is the task's own.
	conn      *client.Conn
	named     bool        // USERNAME and PASSWORD were sent on conn
	loggedIn  bool        // on conn
	refusal   string      // why LOGIN was refused, as logged
	nextLogin env.Instant // when it may be tried again
	request   []byte      // the poll
	last      []byte      // the reply to it that was reported
	calm      bool        // the same reply again needs no report
	fsdFirst  bool        // FSD was set when the UPS was first heard, and since
	polled    env.Instant // when the last poll began
	ended     env.Instant // and when it ended
	counting  bool
	counted   env.Instant
	settled   env.Instant // when the others have logged in again after a reconnect
	others    int         // as reported while counting; unreported before
	log       failLog
	clocks    clocks
}

const unreported = -2

// longAgo is when a UPS was polled that never was: it is due.
const longAgo env.Instant = -1 << 62

// newWatcher makes a watcher; start runs it.
func newWatcher(e env.Env, p *plan, m config.Monitor, o client.Options,
	connect time.Duration) (*watcher, error) {

	ups, host, port, err := client.SplitName(m.System)
	if err != nil {
		return nil, err
	}
	return &watcher{
		plan: p, line: m, ups: ups, host: host, port: port, opt: o, connect: connect,
		orders:   orders{w: e.Waiter()},
		request:  []byte("GET " + netproto.Request("VAR", ups, "ups.status")),
		throttle: -1, others: unreported, polled: longAgo,
	}, nil
}

func (w *watcher) start(e env.Env) {
	we, scope := e.Scope("watch " + w.line.System)
	w.scope = scope
	we.Go("watch "+w.line.System, w.run)
}

// end stops the task, wherever it is, and waits for it.
func (w *watcher) end(e env.Env) {
	w.scope.Stop()
	w.scope.Wait(e)
}

func (w *watcher) run(e env.Env) error {
	defer w.hangUp()
	for next := e.Now(); ; next = w.due() {
		given, err := w.orders.take(e, next)
		switch {
		case errors.Is(err, env.ErrTimeout):
			err = w.tick(e)
		case err == nil:
			err = w.obey(e, given)
		}
		if err != nil || given&quit != 0 {
			return err
		}
	}
}

// due is when to do the next thing unasked.
func (w *watcher) due() env.Instant {
	poll := w.polled.Add(time.Duration(w.interval.Load()))
	if w.counting {
		return min(poll, w.counted.Add(countEvery))
	}
	return poll
}

// tick does what is due. Like all that follows, it returns an error only when the task must end.
func (w *watcher) tick(e env.Env) error {
	if w.counting && e.Now() >= w.counted.Add(countEvery) {
		return w.count(e)
	}
	return w.poll(e)
}

// obey carries out orders, the most pressing first.
func (w *watcher) obey(e env.Env, given order) error {
	if given&quit != 0 {
		w.leave(e)
		return nil
	}
	if given&stopped != 0 {
		w.counting = false
	}
	if given&force != 0 {
		return w.force(e)
	}
	if given&renew != 0 {
		w.calm = false
	}
	if given&(look|renew) != 0 {
		return w.poll(e)
	}
	return nil
}

// poll asks for the status. A reply that says what the last one said costs nothing more, unless
// something may be due because it says so.
func (w *watcher) poll(e env.Env) error {
	w.notice(e)
	w.polled = e.Now()
	kept := w.conn != nil
	reply, connecting, err := w.ask(e)
	if kept && err != nil && (hungUp(err) || w.notice(e)) {
		// The connection has died unnoticed, as it does while this program stands still or the
		// server restarts: that says nothing about the UPS. Ask again on a new one.
		if ended := w.lost(err); ended != nil {
			return ended
		}
		reply, connecting, err = w.ask(e)
	}
	w.ended = e.Now()
	if err != nil {
		return w.fail(e, connecting, err)
	}
	if w.calm && bytes.Equal(reply, w.last) {
		w.heard.Store(int64(e.Now()))
		return nil
	}
	words, err := client.ParseGet(reply, "VAR", w.ups, "ups.status")
	if err != nil {
		return w.fail(e, false, err)
	}
	s := ParseStatus(words[0])
	if s.Empty() {
		return w.fail(e, false, errEmpty)
	}
	first := w.heard.Load() == 0
	w.last = append(w.last[:0], reply...)
	w.heard.Store(int64(e.Now()))
	if text := w.log.good(w.line.System, w.throttle); text != "" {
		e.Log().Info(text)
	}
	alarm, err := w.alarm(e, s)
	if err != nil {
		return err
	}
	age, err := w.fsdAge(e, s, first)
	if err != nil {
		return err
	}
	w.calm = w.out.Put(report{from: w, kind: heard, status: s, alarm: alarm, fsdAge: age}) && s.Calm()
	return nil
}

// ask asks for the status on the connection there is, or on a new one. connecting says that the
// error is about reaching the server.
func (w *watcher) ask(e env.Env) (reply []byte, connecting bool, err error) {
	if err := w.reach(e); err != nil {
		return nil, true, err
	}
	reply, err = w.conn.Ask(e, e.Now().Add(client.AnswerTime), w.request)
	if w.debugs(3) { // arguments cost even when nobody reads them
		w.debugf(e, 3, "UPS [%s] says %q", w.line.System, reply)
	}
	return reply, false, err
}

// hungUp reports an error by which a server, or its system, has ended the connection.
func hungUp(err error) bool {
	var refused netproto.Err
	return !errors.As(err, &refused) && !errors.Is(err, env.ErrTimeout) && !errors.Is(err, env.ErrStopped)
}

// notice finds out whether this program has stood still: stopped, suspended with its machine, or
// starved. Silence counts only as far as somebody listened, so it starts anew then.
func (w *watcher) notice(e env.Env) bool {
	now := e.Now()
	late := w.late(now)
	slept, set := w.clocks.jump(e, now)
	gap := late + slept
	if gap > standstill || set.Abs() > standstill {
		w.out.Put(report{from: w, kind: jumped, gap: gap, set: set})
	}
	if gap <= standstill {
		return false
	}
	w.calm = false
	w.heard.Store(max(w.heard.Load(), int64(now)))
	return true
}

// late is for how long this task did not run although it was time, 0 when that is usual.
func (w *watcher) late(now env.Instant) time.Duration {
	since := max(w.ended, w.polled)
	allowed := time.Duration(w.interval.Load())
	if w.polled > w.ended { // within a poll: connecting, logging in, asking
		allowed = max(w.connect, client.ConnectTime) + 2*client.AnswerTime
	}
	over := now.Sub(since) - allowed
	if since == 0 || over <= standstill {
		return 0
	}
	return over
}

var errEmpty = errors.New("ups.status is empty")

// alarm asks for the text of an alarm; without one there is none to tell. The status must not wait
// long for it.
func (w *watcher) alarm(e env.Env, s Status) (string, error) {
	if !s.Words.Has(nut.ALARM) {
		return "", nil
	}
	text, err := w.conn.Var(e, e.Now().Add(alarmTime), w.ups, "ups.alarm")
	return text, w.lost(err)
}

// fsdAge asks for how long FSD has been set, if it was when the UPS was first heard. Negative is for
// all other cases, and for servers that do not know.
func (w *watcher) fsdAge(e env.Env, s Status, first bool) (time.Duration, error) {
	const unknown = -1
	w.fsdFirst = s.Words.Has(nut.FSD) && (first || w.fsdFirst)
	if !w.fsdFirst || w.conn == nil {
		return unknown, nil
	}
	text, err := w.conn.Var(e, e.Now().Add(alarmTime), w.ups, "server.fsd")
	if err != nil {
		return unknown, w.lost(err)
	}
	seconds, _, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 0 {
		return unknown, nil
	}
	return time.Duration(n) * time.Second, nil
}

// lost hangs up after an error that the connection does not survive.
func (w *watcher) lost(err error) error {
	var refused netproto.Err
	if err == nil || errors.As(err, &refused) {
		return nil
	}
	w.hangUp()
	if errors.Is(err, env.ErrStopped) {
		return err
	}
	return nil
}

// fail reports a failed poll.
func (w *watcher) fail(e env.Env, connecting bool, err error) error {
	if ended := w.lost(err); ended != nil {
		return ended
	}
	for _, text := range w.log.bad(w, connecting, err) {
		e.Log().Error(text)
	}
	w.calm = false
	w.out.Put(report{from: w, kind: failed, err: err})
	return nil
}

// reach sees to it that there is a connection, and that LOGIN is tried when it is time.
func (w *watcher) reach(e env.Env) error {
	if w.conn == nil {
		return w.dial(e, client.Until(e, w.connect))
	}
	if !w.loggedIn && e.Now() >= w.nextLogin {
		return w.login(e, e.Now().Add(client.AnswerTime))
	}
	return nil
}

// dial connects and logs in; the login has the time of an answer.
func (w *watcher) dial(e env.Env, until env.Instant) error {
	w.debugf(e, 1, "Trying to connect to UPS [%s]", w.line.System)
	conn, err := client.Dial(e, w.host, w.port, w.opt, until)
	if err != nil {
		return err
	}
	w.conn, w.named, w.loggedIn = conn, false, false
	if err := w.login(e, e.Now().Add(client.AnswerTime)); err != nil || !w.counting {
		return err
	}
	// The server was away during the shutdown: it has forgotten the FSD, and who is logged in.
	w.settled = e.Now().Add(time.Duration(w.interval.Load()) + client.AnswerTime)
	return w.conn.FSD(e, e.Now().Add(forceTry), w.ups)
}

// login says who we are and which UPS feeds us. What the server refuses is logged and does not stop
// the polls.
func (w *watcher) login(e env.Env, until env.Instant) error {
	w.nextLogin = e.Now().Add(loginRetry)
	if !w.named {
		if err := w.conn.Authenticate(e, until, w.line.User, w.line.Password); err != nil {
			return w.refused(e, err, "Authentication on [%s] failed: %s", err.Error())
		}
		w.named = true
	}
	if err := w.conn.Login(e, until, w.ups); err != nil {
		return w.refused(e, err, "Login on UPS [%s] failed - got [ERR %s]", token(err))
	}
	if w.refusal != "" {
		e.Log().Info(fmt.Sprintf("Login on UPS [%s] is accepted now", w.line.System))
	}
	w.loggedIn, w.refusal = true, ""
	if w.line.Role != config.Primary {
		return nil
	}
	if err := w.conn.Primary(e, until, w.ups); err != nil {
		return w.refused(e, err, "Primary managerial privileges unavailable on UPS [%s]: got [ERR %s]",
			token(err))
	}
	return nil
}

// refused logs, once, what the server refused; other errors are returned.
func (w *watcher) refused(e env.Env, err error, format, why string) error {
	var refused netproto.Err
	if !errors.As(err, &refused) {
		return err
	}
	if text := fmt.Sprintf(format, w.line.System, why); text != w.refusal {
		e.Log().Error(text)
		w.refusal = text
	}
	return nil
}

func token(err error) string {
	var refused netproto.Err
	errors.As(err, &refused)
	return string(refused)
}

// force sets FSD, again and again while the server is away: it may be about to come back. One that
// was away at the last poll has had its time, and gets one try. A refusal is final. Then it begins
// to count.
func (w *watcher) force(e env.Env) error {
	until := e.Now().Add(client.AnswerTime)
	if w.conn == nil {
		until = e.Now().Add(forceRetry)
	}
	for {
		err := w.setFSD(e, e.Now().Add(forceTry))
		if ended := w.lost(err); ended != nil {
			return ended
		}
		if w.conn != nil || e.Now().Add(forceRetry) >= until {
			w.out.Put(report{from: w, kind: forced, err: err})
			break
		}
		if err := e.Sleep(forceRetry); err != nil {
			return err
		}
	}
	w.counting, w.others = true, unreported
	return w.count(e)
}

// setFSD sets FSD, on a new connection if there is none.
func (w *watcher) setFSD(e env.Env, until env.Instant) error {
	if w.conn == nil {
		if err := w.dial(e, until); err != nil {
			return err
		}
	}
	return w.conn.FSD(e, until, w.ups)
}

// count asks how many others are logged in, and reports it when it changes. A server that went away
// meanwhile, and with it the FSD, gets it again as soon as it is back.
func (w *watcher) count(e env.Env) error {
	w.counted = e.Now()
	until := e.Now().Add(forceTry)
	others, err := -1, error(nil)
	if w.conn == nil {
		err = w.dial(e, until)
	}
	if err == nil {
		others, err = w.conn.NumLogins(e, until, w.ups)
		if token(err) == string(netproto.DataStale) || token(err) == string(netproto.DriverNotConnected) {
			others, err = w.conn.Clients(e, until, w.ups)
		}
	}
	if ended := w.lost(err); ended != nil {
		return ended
	}
	switch {
	case err != nil:
		others = -1
	case w.loggedIn:
		others = max(0, others-1)
	}
	if w.others > 0 && (others < 0 || others == 0 && e.Now() < w.settled) {
		// They were there a moment ago. That nobody can count them does not make them leave, and on
		// a server that was away they need a poll to log in again.
		return nil
	}
	if others != w.others {
		w.others = others
		w.out.Put(report{from: w, kind: logins, others: others})
	}
	return nil
}

// leave says goodbye.
func (w *watcher) leave(e env.Env) {
	if w.conn != nil {
		w.conn.Logout(e, e.Now().Add(logoutTime))
	}
	w.out.Put(report{from: w, kind: left})
}

func (w *watcher) hangUp() {
	if w.conn != nil {
		w.conn.Close()
	}
	w.conn, w.loggedIn = nil, false
}
