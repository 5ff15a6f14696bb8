package compare

import (
	"fmt"

	"github.com/tpbench/tpbench/results"
)

// A TimeError says that two files cannot be compared, because one is in virtual time and the other is not.
type TimeError struct{ virtual, other *Set }

func (e *TimeError) Error() string {
	return fmt.Sprintf("%s is in virtual time and %s in wall time: instructions cannot be compared with times; expected two files of one kind", e.virtual.Path, e.other.Path)
}

// oneTime returns a *TimeError if one set has samples in virtual time and the other does not have only such samples.
func oneTime(a, b *Set) error {
	switch {
	case isVirtual(a.Facts) && !isVirtual(b.Facts):
		return &TimeError{a, b}
	case isVirtual(b.Facts) && !isVirtual(a.Facts):
		return &TimeError{b, a}
	}
	return nil
}

func isVirtual(facts []results.KeyValue) bool { return timeOf(facts) == results.VirtualTime }

// timeOf returns what the clock of a guest counts, or "" if the samples are of no guest.
func timeOf(facts []results.KeyValue) string {
	for _, f := range facts {
		if f.Key == results.TimeFact {
			return f.Value
		}
	}
	return ""
}

// virtualNote explains what was measured in virtual time.
const virtualNote = "virtual time: of a guest whose clock counts instructions, each as 1 ns. It says how much work there is and how many waits, not how long they take on a machine; caches and branches have no part in it. Strategies were not tortured there."
