package tracepoint

import (
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// batched is tpCondSync for many tracepoints at a time. A bulk change patches all sites at
// once in each step, and waits at most once. Its transitions need one patch each, so disabling
// all events, or enabling them, takes three core syncs however many events there are. (In a
// core sync every CPU that runs this process executes a serialising instruction.)
//
// Doing each step for all tracepoints keeps tpCondSync's invariant. The invariant is about one
// tracepoint, each tracepoint goes through its list in order, and the steps of the others look
// like those of another updater. Two lists are shorter than tpCondSync's:
//
//   - 1->0 does not change the static call. A reader past the key finds NULL and leaves, or it
//     has the last probe's data, and the call goes to that probe.
//   - 0->1 patches call and key together, before it publishes. A reader that passes the open
//     key before the array is published finds NULL and leaves.
//
// One wait is enough (Registry.Bulk): every moment is remembered before the first wait begins,
// so they all have passed when one whole grace period has.
//
//	CPU0, updater                        CPU1, reader in A's site
//	                                     load data: d = p[0].data      // of A
//	disable A, B, C: keys, in one patch
//	     publish NULL three times
//	     A.moved = B.moved = C.moved = get_state
//	enable A, B, C: cond_sync(the last)  // waits for CPU1, once
//	                                     call: static call(d)          // A with its own data
//	     calls and keys, in one patch
//	     publish three times
var batched = tpCondSync.but(func(p *Policy) {
	p.Together = true
	p.ZeroToOne = []Step{condSyncMoved, turnOn, publish}
	p.OneToTwo = []Step{callsIterator, publish, getStateMoved}
	p.TwoToOne = []Step{publish, getStateMoved, condSyncMoved, callsFirst}
	p.OneToZero = []Step{keysDisable, publish, getStateOff}
})

// The steps that patch all their tracepoints at once.
var (
	turnOn = following(together("static call = first and key enable", func(changes []*change) []textpoke.Change {
		enable, _ := dispatch.KeyChanges(sitesOf(changes))
		return append(firsts(changes), enable...)
	}))
	callsFirst    = following(together(callFirst.Name, firsts))
	callsIterator = together(callIterator.Name, func(changes []*change) (patch []textpoke.Change) {
		for _, c := range changes {
			patch = append(patch, c.tp.site.CallChanges(c.registry.policy.Dispatch.Iterator())...)
		}
		return patch
	})
	keysDisable = together(keyDisable.Name, func(changes []*change) []textpoke.Change {
		_, disable := dispatch.KeyChanges(sitesOf(changes))
		return disable
	})
)

// together returns a Step that makes one patch of all the changes.
func together(name string, patch func([]*change) []textpoke.Change) Step {
	return Step{Name: name, do: func(changes []*change) error { return textpoke.Int3Batch(patch(changes)) }}
}

// following returns the Step with its field follows set.
func following(s Step) Step {
	s.follows = true
	return s
}

// firsts returns the patches that make each static call go to the only probe.
func firsts(changes []*change) (patch []textpoke.Change) {
	for _, c := range changes {
		patch = append(patch, c.tp.site.CallChanges(c.target.PC)...)
	}
	return patch
}

func sitesOf(changes []*change) []*dispatch.Site {
	sites := make([]*dispatch.Site, len(changes))
	for i, c := range changes {
		sites[i] = c.tp.site
	}
	return sites
}
