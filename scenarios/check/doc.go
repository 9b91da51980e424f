// Package check judges runs. It reads the event stream of a run (package env, type Event) and
// nothing else, so the same oracles watch a world in virtual time, real processes, a virtual
// machine and a bench, and can be asked again years later about a recording.
//
// # Where to start
//
// A [Judge] takes events one at a time and gives a [Report] at the end:
//
//	j := check.New(0)               // tolerance: 0 in virtual time
//	world.Observe = j.Observe
//	j.Allow("S01", "db", "wedged")  // an expected violation, with its reason; it is counted
//	j.Quiesce(now)                  // everything is repaired: from here on hosts must come back
//	fmt.Print(j.End())
//
// [Run] does the same for a recording, which [Read] brings back from its lines.
//
// # How an oracle works
//
// Events flow into a [View], the world as far as they tell it: machines, power, links, what each
// monitor was told and believes. After each event every [Oracle] looks at the view and says what is
// wrong. Their statements, one each, are in [Oracles]; the code is in safety_*.go (what must never
// happen), liveness*.go and recovery.go (what must happen, each by a deadline: promises.go).
// L01 and L06 judge the quiesce phase only; the others judge whenever nobody disturbs those whom
// they concern.
//
// Some violations are nobody's fault: no battery lasts long enough for every shutdown. The reasons
// that can be worked out from the events are named in excuses.go, others are told by Allow; excused
// violations are counted apart, so that a report shows what was forgiven.
//
// Oracles do not believe the daemons' own conclusions. Whether a host may shut down is worked out
// again in critical.go, from the statuses it accepted, the loss of communication and its settings;
// the events "critical" and "decide" count as claims to be checked. The one exception is an order
// of the operator, which leaves no other trace: it is believed and counted.
//
// # What else is here
//
// [Hash] and [Replay] compare two runs of one seed (C01), [Compare] two rungs (C03), and
// [Timeline] renders a run for people.
//
// # To add an oracle
//
// Write a type with Event and Due, give it a line in the table of oracles.go, a run that breaks it
// in the table of check_test.go or more_test.go, and near misses that do not in that of near_test.go
// or more_test.go.
package check
