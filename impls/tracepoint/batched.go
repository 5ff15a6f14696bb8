package tracepoint

import (
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// batched is tpCondSync for many tracepoints at a time: a bulk change is one patch of all
// sites for each transition in it, and at most one wait. Its transitions are cut down to
// one patch each, so that disabling everything, or enabling it, is three core syncs
// however many events there are.
//
// Side by side the steps keep tpCondSync's invariant, because it is a promise about each
// tracepoint by itself: each goes through its list in order, and that others take the
// same step in between is what other updaters would look like. What is cut:
//
//   - 1->0 leaves the static call where it is. A reader past the key finds NULL, or has
//     the last probe's data, which is that call's own.
//   - 0->1 patches call and key in one go, before it publishes. A reader that comes through
//     the open key early finds NULL and leaves.
//
// The one wait, in Registry.Bulk: every moment is remembered before the first wait begins,
// so a whole grace period after that satisfies all of them.
//
//	CPU0, updater                        CPU1, reader in A's site
//	                                     R4 d = p[0].data          // of A
//	disable A, B, C: keys, in one patch
//	     publish NULL three times
//	     A.moved = B.moved = C.moved = get_state
//	enable A, B, C: cond_sync(the last)  // waits for CPU1, once
//	                                     R5 static call(d)         // A's own
//	     calls and keys, in one patch
//	     publish three times
var batched = tpCondSync.but(func(p *Policy) {
	p.Together = true
	p.ZeroToOne = []Step{condSyncMoved, turnOn, publish}
	p.OneToTwo = []Step{callsIterator, publish, getStateMoved}
	p.TwoToOne = []Step{publish, getStateMoved, condSyncMoved, callsFirst}
	p.OneToZero = []Step{keysDisable, publish, getStateOff}
})

// The steps that are one patch for all their tracepoints.
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

func together(name string, patch func([]*change) []textpoke.Change) Step {
	return Step{Name: name, do: func(changes []*change) error { return textpoke.Int3Batch(patch(changes)) }}
}

// following returns a Step that follows.
func following(s Step) Step {
	s.follows = true
	return s
}

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
