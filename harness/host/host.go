package host

import (
	"cmp"
	"fmt"
	"strings"
)

// A Fact is one configuration line of the benchmark format. Its Key is lower-case
// without spaces, and its Value is one line and not empty.
type Fact struct {
	Key, Value string
}

// An UnavailableError says what this process cannot have, because the machine, its
// container or its sandbox does not give it, and what to do.
type UnavailableError struct {
	What string // a clause: "no membarrier(2)"
	Do   string // an instruction: "use a kernel with CONFIG_MEMBARRIER"
	Err  error  // the error of the system call, or nil
}

func (e *UnavailableError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("host: %s (%v): %s", e.What, e.Err, e.Do)
	}
	return fmt.Sprintf("host: %s: %s", e.What, e.Do)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// A membarrier is what MEMBARRIER_CMD_QUERY returns: a bit for each command of membarrier(2)
// that the kernel offers.
type membarrier int

const (
	global           membarrier = 1 << 0 // waits for a grace period; withdrawn under nohz_full
	privateExpedited membarrier = 1 << 3 // interrupts the CPUs that run this process
	syncCore         membarrier = 1 << 5 // the same, and they execute a serialising instruction: for code patching
)

// String names the commands above.
func (m membarrier) String() string {
	var has []string
	for _, c := range []struct {
		bit  membarrier
		name string
	}{{global, "global"}, {privateExpedited, "private-expedited"}, {syncCore, "private-expedited-sync-core"}} {
		if m&c.bit != 0 {
			has = append(has, c.name)
		}
	}
	return cmp.Or(strings.Join(has, " "), "none")
}

// A Status is the result of a Check.
type Status int

const (
	OK   Status = iota // nothing to do
	Warn               // numbers are worse than they could be, or some cases cannot run
	Fail               // numbers are wrong, or a whole family of implementations cannot run
)

func (s Status) String() string { return [...]string{"ok", "warn", "fail"}[s] }

// A Check is one finding of [Doctor].
type Check struct {
	Name   string // kebab case, stable: "smt", "rcu-expedited"
	Status Status
	Found  string // what this machine has
	Why    string // one sentence: what a bad value does to a measurement
	Do     string // one command that mends it, or "nothing to do", with a reason unless OK
}
