package host

import (
	"cmp"
	"fmt"
	"strings"
)

// A Fact is one configuration line of the benchmark format: a lower-case Key
// without spaces and a Value that is one line and not empty.
type Fact struct {
	Key, Value string
}

// An UnavailableError says what this machine, or what holds this process,
// withholds, and what to do about it.
type UnavailableError struct {
	What string // a clause: "CPU 7 is not ours: this process may use CPUs 0-1"
	Do   string // an instruction: "choose one of these, or widen the mask: …"
	Err  error  // the system's own words, or nil
}

func (e *UnavailableError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("host: %s (%v): %s", e.What, e.Err, e.Do)
	}
	return fmt.Sprintf("host: %s: %s", e.What, e.Do)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// A Membarrier says which commands of membarrier(2) the kernel offers.
type Membarrier struct {
	Global                   bool // waits for a grace period; withdrawn under nohz_full
	PrivateExpedited         bool // interrupts the CPUs that run this process
	PrivateExpeditedSyncCore bool // and serialises their instruction streams: code patching
}

func (m Membarrier) String() string {
	has := ""
	if m.Global {
		has += " global"
	}
	if m.PrivateExpedited {
		has += " private-expedited"
	}
	if m.PrivateExpeditedSyncCore {
		has += " private-expedited-sync-core"
	}
	return cmp.Or(strings.TrimSpace(has), "none")
}

// A Status is the verdict of a Check.
type Status int

const (
	OK   Status = iota // nothing to do
	Warn               // numbers are worse than they could be, or something skips
	Fail               // numbers are wrong, or a whole family can not run
)

func (s Status) String() string { return [...]string{"ok", "warn", "fail"}[s] }

// A Check is one finding of [Doctor].
type Check struct {
	Name   string // kebab case, stable: "smt", "rcu-expedited"
	Status Status
	Found  string // what this machine has
	Why    string // one sentence: what it does to a measurement
	Do     string // one command that mends it, or "nothing to do", with a reason if not OK
}
