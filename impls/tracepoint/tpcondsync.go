package tracepoint

// tpCondSync is rcuCondSync with one snapshot for each tracepoint in place of two for
// all. So enabling one event never waits because another was disabled.
//
// The invariant: when the static call of a tracepoint is a function, no reader is between
// R4 and R5 of that tracepoint's site with other data than that function's.
//
//  1. What a reader holds at R4 was its own site's, hence this tracepoint's, first data:
//     no other tracepoint's history matters.
//  2. moved is taken after each publish that changed the first entry's data, and in every
//     1->0, which leaves no first entry. So it is taken after the last moment at which a
//     reader could load data other than the present first entry's.
//  3. The call goes to a function only in 0->1 and 2->1, both after cond_sync(moved): a
//     whole grace period has passed since 2. Readers from before it are gone; readers
//     from after it hold the first entry's data.
//  4. One snapshot is enough where the kernel has two kinds: between a 1->0 and a 2->1 of
//     one tracepoint lies a 0->1, which has waited.
//
// CPU0 and CPU1 are as in rcuCondSync; what is new is the updater of another event, who
// in the kernel overwrites the snapshot, or finds it pending:
//
//	CPU0, updater                        CPU1, reader in A's site
//	                                     R4 d = p[0].data         // of A
//	disable A: A.moved = get_state
//	enable B: B.moved: nothing           // does not wait for CPU1
//	enable A: cond_sync(A.moved)         // does
var tpCondSync = rcuCondSync.but(func(p *Policy) {
	p.ZeroToOne = []Step{condSyncMoved, callFirst, publish, keyEnable}
	p.OneToTwo = []Step{callIterator, publish, getStateMoved}
	p.NToNPlusOne = []Step{publish, getStateMoved}
	p.NToNMinusOne = []Step{publish, getStateMoved}
	p.TwoToOne = []Step{publish, getStateMoved, condSyncMoved, callFirst}
	p.OneToZero = []Step{keyDisable, callIterator, publish, getStateOff}
})

var (
	// getStateOff remembers this moment for the tracepoints.
	getStateOff = Step{Name: "get_state(moved)", do: func(changes []*change) error {
		now := changes[0].registry.rcu.GetState()
		for _, c := range changes {
			c.tp.moved = snapshot{now, true}
		}
		return nil
	}}

	getStateMoved = ifMoved(getStateOff)

	// condSyncMoved waits, if no grace period has passed since the last of the moments
	// that were remembered for the tracepoints. That one satisfies them all.
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
