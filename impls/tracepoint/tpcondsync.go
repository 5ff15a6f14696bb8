package tracepoint

// tpCondSync is rcuCondSync with one snapshot for each tracepoint, where the kernel has two
// for all. So enabling one event never waits because another was disabled.
//
// The invariant: while the static call of a tracepoint goes to a probe, no reader of that
// tracepoint's site that has loaded other data than that probe's is about to call.
//
//  1. The data that a reader has loaded was the first data of its own site's tracepoint. So
//     the history of other tracepoints does not matter.
//  2. moved is taken after each publish that changed the first entry's data, and in every
//     1->0, which leaves no first entry. So it is taken after the last moment at which a
//     reader could load data other than the present first entry's.
//  3. The call goes to a probe only in 0->1 and 2->1, both after cond_sync(moved): a whole
//     grace period has passed since 2. Readers from before it have left; readers from after
//     it have loaded the first entry's data.
//  4. One snapshot is enough where the kernel has two kinds: between a 1->0 and a 2->1 of one
//     tracepoint there is a 0->1, which has waited.
//
// CPU0 and CPU1 do what they do in rcuCondSync. New is the updater of another event, which
// overwrites the kernel's snapshot, or waits for it:
//
//	CPU0, updater                        CPU1, reader in A's site
//	                                     load data: d = p[0].data      // of A
//	disable A: A.moved = get_state
//	enable B: B.moved is not pending     // does not wait for CPU1
//	enable A: cond_sync(A.moved)         // waits for CPU1
var tpCondSync = rcuCondSync.but(func(p *Policy) {
	p.ZeroToOne = []Step{condSyncMoved, callFirst, publish, keyEnable}
	p.OneToTwo = []Step{callIterator, publish, getStateMoved}
	p.NToNPlusOne = []Step{publish, getStateMoved}
	p.NToNMinusOne = []Step{publish, getStateMoved}
	p.TwoToOne = []Step{publish, getStateMoved, condSyncMoved, callFirst}
	p.OneToZero = []Step{keyDisable, callIterator, publish, getStateOff}
})

var (
	// getStateOff remembers the present moment for each tracepoint.
	getStateOff = Step{Name: "get_state(moved)", do: func(changes []*change) error {
		now := changes[0].registry.rcu.GetState()
		for _, c := range changes {
			c.tp.moved = snapshot{now, true}
		}
		return nil
	}}

	getStateMoved = ifMoved(getStateOff)

	// condSyncMoved waits until the last of the tracepoints' moments has passed: all
	// others have passed then.
	condSyncMoved = Step{Name: "cond_sync(moved)", waits: true, do: func(changes []*change) error {
		var last *snapshot
		for _, c := range changes {
			s := &c.tp.moved
			if s.ongoing && (last == nil || s.state.After(last.state)) {
				last = s
			}
			s.ongoing = false
		}
		if last != nil {
			changes[0].registry.rcu.CondSync(last.state)
		}
		return nil
	}}
)
