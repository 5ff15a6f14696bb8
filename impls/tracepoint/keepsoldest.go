package tracepoint

// keepsOldest is tp-V10: rcuCondSync that remembers no moment while an older one is pending.
// A grace period between the two moments makes the older one pass. It does not wait for a
// reader that began after it and holds the first entry's data from before the younger moment.
//
//	CPU0, updater                        CPU1, reader in a site
//	3->2 remove A: publish {B,C}
//	     s = get_state
//	     <a whole grace period>
//	                                     load data: d = p[0].data  // B's data
//	2->1 remove B: publish {C}
//	     s is pending: no get_state
//	     cond_sync(s): has passed
//	     static call = C
//	                                     call: static call(d)      // C with B's data
var keepsOldest = rcuCondSync.but(func(p *Policy) {
	p.OneToTwo = []Step{callIterator, publish, ifMoved(getStateUnlessPending(sN21))}
	p.NToNPlusOne = []Step{publish, ifMoved(getStateUnlessPending(sN21))}
	p.NToNMinusOne = []Step{publish, ifMoved(getStateUnlessPending(sN21))}
	p.TwoToOne = []Step{publish, ifMoved(getStateUnlessPending(sN21)), condSync(sN21), callFirst}
	p.OneToZero = []Step{keyDisable, callIterator, publish, getStateUnlessPending(s101)}
})

// getStateUnlessPending is getState that keeps an older moment.
func getStateUnlessPending(id snapshotID) Step {
	get := getState(id)
	return Step{Name: get.Name + " unless pending", do: each(func(c *change) error {
		// Deliberate bug (of this project): the older moment is satisfied sooner.
		if c.registry.snapshots[id].ongoing {
			return nil
		}
		return get.do([]*change{c})
	})}
}
