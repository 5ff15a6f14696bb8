package tracepoint

// keepsOldest is tp-V10: rcuCondSync that remembers no moment while an older one is pending.
// A grace period between the two moments satisfies the older one. It says nothing about a
// reader that began after it and holds the data of before the younger one.
//
//	CPU0, updater                        CPU1, reader in a site
//	3->2 remove A: publish {B,C}
//	     s = get_state
//	     <a whole grace period>
//	                                     R4 d = p[0].data      // B's data
//	2->1 remove B: publish {C}
//	     s is pending: no get_state
//	     cond_sync(s): has passed
//	     static call = C
//	                                     R5 static call(d)     // C with B's data
var keepsOldest = rcuCondSync.but(func(p *Policy) {
	p.OneToTwo = []Step{callIterator, publish, ifMoved(getStateUnlessPending(sN21))}
	p.NToNPlusOne = []Step{publish, ifMoved(getStateUnlessPending(sN21))}
	p.NToNMinusOne = []Step{publish, ifMoved(getStateUnlessPending(sN21))}
	p.TwoToOne = []Step{publish, ifMoved(getStateUnlessPending(sN21)), condSync(sN21), callFirst}
	p.OneToZero = []Step{keyDisable, callIterator, publish, getStateUnlessPending(s101)}
})

// getStateUnlessPending is getState for who takes an older moment for as good.
func getStateUnlessPending(id snapshotID) Step {
	get := getState(id)
	return Step{Name: get.Name + " unless pending", do: each(func(c *change) error {
		// Deliberate bug (ours): the older moment is satisfied sooner.
		if c.registry.snapshots[id].ongoing {
			return nil
		}
		return get.do([]*change{c})
	})}
}
