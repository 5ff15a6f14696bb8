package unregister_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/unregister"
)

// If this fails, a variant does something else than what it was asked for, although no other
// thread does anything at the time. The case says what.
//
// Busted variants pass as well, but a removal of theirs may fail (M4). How else they
// are wrong shows under a reader: in replays and in package torture.
func TestConformance(t *testing.T) {
	event.ForEach(t, "unregister", unregister.Variants(), func(t *testing.T, v unregister.Variant, f rcu.Variant) {
		judge.Run(t, cases, func(t *testing.T, test func(*bench)) {
			for _, number := range []int{0, dispatch.TextSites} { // in text, in mapped memory
				b := newBench(t, v, f, number)
				defer b.close()
				defer judge.LogLast(t, &b.history)
				test(b)
			}
		})
	})
}

// cases begin with the Point off, and need not turn it off at their end.
var cases = []judge.Case[func(*bench)]{
	{
		Name:        "M2 M4 M5: removals in every order, with every pattern of memory",
		Explanation: "If a removal without memory were wrong for some number of dead entries before it, or for some place among them, a probe would be lost, or stay, or its removal would fail.",
		Test:        removalOrders,
	},
	{
		Name:        "M2 M4 M5: random changes",
		Explanation: "If the outcome depended on the order of earlier operations, some history would make a Point call probes that are not registered.",
		Test:        randomChanges,
	},
	{
		Name:        "M4: registration without memory",
		Explanation: "If a registration without memory did half of its work, its caller would get an error and have a probe on.",
		Test:        noMemoryToAdd,
	},
	{
		Name:        "M2 M4: a probe that was removed without memory comes back",
		Explanation: "If a dead entry were taken for its former probe, that probe could not be registered again, or could be removed twice, or would lose its place in the order.",
		Test:        comesBack,
	},
	{
		Name:        "M4: probes that mark dead entries",
		Explanation: "If a probe could have the function of dead entries, it would vanish at the next change; if it could be removed, a dead entry would die a second time.",
		Test:        deadFunctions,
	},
	{
		Name:        "M1 M4: after Unregister and Synchronize",
		Explanation: "If Synchronize did not wait for a reader in a probe, or the probe were called after it, the caller would free the probe's data while it is used; if the reader lost its array, it would miss the probes that stay registered.",
		Test:        synchronizeEndsProbes,
	},
	{
		Name:        "M5: nothing is left behind",
		Explanation: "If some way from many probes to none leaked an array or a half of one, a machine that traces for long would run out of memory.",
		Test:        nothingLeft,
	},
}

// failsWithoutMemory says of busted variants whether a removal without memory fails. Of a variant
// that is not here, it may be.
var failsWithoutMemory = map[string]bool{"fail": true, "double-array": false}

// A bench is a Point beside its model, with a Domain of its own, which starts no grace
// period by itself.
type bench struct {
	*event.Event
	variant unregister.Variant
	flavour rcu.Variant
	point   *unregister.Point
	history []string
	failed  int // removals
}

// newBench makes a Point of the event with that number.
func newBench(t *testing.T, v unregister.Variant, f rcu.Variant, number int) *bench {
	t.Helper()
	sites, err := dispatch.Events(number + 1)
	judge.Need(t, err, "dispatch")
	d := f.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	b := &bench{variant: v, flavour: f}
	b.point, err = unregister.New(v.New, d, sites[number])
	judge.Check(t, err)
	b.Event = event.New(event.Event{
		TB: t, Domain: d, Site: sites[number], Fns: event.Funcs(t, 4), Fire: b.point.Fire, History: &b.history,
		Family: &event.Family{
			Invalid: unregister.ErrInvalid, Exist: unregister.ErrExist, NotFound: unregister.ErrNotFound, NoMem: unregister.ErrNoMem,
			Reserved: []dispatch.Func{dispatch.Stub(), dispatch.Sentinel},
			Freed:    "M1", Order: "M2", Key: "M5", Whole: "M4",
		},
	})
	return b
}

// close unregisters all probes. No reader is in the site any more, so another Point may have
// it.
func (b *bench) close() {
	if len(b.Model) > 0 {
		judge.Check(b, b.point.Unregister(dispatch.Probe{}))
	}
	b.Domain.Close()
}

// mayFail reports whether a removal without memory may fail.
func (b *bench) mayFail() bool {
	may, known := failsWithoutMemory[b.variant.Name]
	return b.variant.Status == impls.Busted && (may || !known)
}

// register and unregister do the same to the Point and to its model, and compare. The next
// allocation fails unless there is memory.
func (b *bench) register(p dispatch.Probe, memory bool) {
	b.Helper()
	b.memory(memory)
	what := fmt.Sprintf("register %s, memory %v", b.Describe(p), memory)
	got := b.point.Register(p)
	b.Compare(what, got, b.Model.Register(b.Family, p, memory))
}

func (b *bench) unregister(p dispatch.Probe, memory bool) {
	b.Helper()
	b.memory(memory)
	what := fmt.Sprintf("unregister %s, memory %v", b.Describe(p), memory)
	got := b.point.Unregister(p)
	if !memory && errors.Is(got, unregister.ErrNoMem) && b.mayFail() {
		b.failed++
		b.Compare(what+": fails", nil, nil)
		return
	}
	b.Compare(what, got, b.Model.Unregister(b.Family, p))
}

// memory lets the next allocation succeed or not.
func (b *bench) memory(there bool) {
	if there {
		b.point.FailAfter(-1)
	} else {
		b.point.FailAfter(0)
	}
}

// held compares the arrays that are held, after the grace period of all released ones, with
// what the number of probes allows.
func (b *bench) held() {
	b.Helper()
	b.Domain.Barrier()
	want := min(1, len(b.Model))
	if arrays, bytes := b.point.Held(); arrays != want || (bytes > 0) != (want > 0) {
		b.Fatalf("M5: with %d probes, %d arrays of %d bytes are held", len(b.Model), arrays, bytes)
	}
}
