package env

import "time"

// A Split divides a program in two processes: a parent that keeps the rights it was started with
// and knows how to do one thing, and a child that has the rights of an account and does all the
// rest.
//
// The parent is not the program that called Split but a small one in its place, with its process
// number: it reads no file and no network. It carries out what is prepared here when the child
// orders it, once; passes on the signals that it gets; and ends with the child: with the code 0 if
// the child did, again from the start if the child wants to [StartOver], else with 1.
type Split struct {
	User    string        // the child's account; empty for the caller's own
	Flag    string        // a file that is written first; empty for none
	Text    string        // its content
	Command string        // then a line for the shell
	Tries   int           // how often, until it ends with 0
	Pause   time.Duration // between two tries
	PIDFile string        // gets the child's number, and goes with the child; empty for none
	Config  []byte        // for the child, which may not be allowed to read it again
}

// StartOver is the exit code by which the child of a Split has its parent start the whole program
// again, as it was started, with the rights that it was started with.
const StartOver ExitStatus = 75

// A Parent is the other part of a divided program as its child sees it.
type Parent interface {
	// Split is what the parent was given.
	Split() Split
	// Order has the parent do it: the first call, write Flag; the second, run Command. A parent that
	// wrote the Flag and is not told to go on does so in the end, or when its child has ended.
	Order(e Env) error
	// Next waits for what the parent does next. Its error wraps ErrClosed when the parent is dead.
	Next(e Env) (Deed, error)
}

// A Deed is a step of what the parent was ordered to do.
type Deed struct {
	Step   Step
	Status ExitStatus // of Ended
	Err    error      // of Flagged: the file could not be written; of Ended: the shell did not start
}

// A Step is a step of a parent's work.
type Step uint8

// The steps in their order: Flagged, also without a Flag; then Ended for each try, and Again before
// the second and those that follow.
const (
	Flagged Step = iota + 1
	Again
	Ended
)

// GoOn is how long a parent waits to be told to go on.
const GoOn = 2 * time.Second

// A Phase is what a program is doing, for service managers.
type Phase uint8

// The phases that a program tells; it is ready by then.
const (
	Serving Phase = iota + 1 // as usual, or again
	Reloading
	Stopping
	Turning // as before: its main loop is not stuck
)
