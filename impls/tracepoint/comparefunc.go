package tracepoint

// compareFunc is tp-V4: rcuCondSync that compares the first entries' functions and not their
// data, although one function may be registered with two data.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data  // d1
//	2->1 remove F/d1 from {F/d1, F/d2}:
//	     publish {F/d2}
//	     no get_state: F is still F
//	     static call = F
//	                                     call: static call(d1)     // F/d1, which is removed,
//	                                                               // and not F/d2
//
// Function and data belong together, so T1 holds. T3 breaks: F/d2 was registered all the time,
// and this firing did not call it.
var compareFunc = rcuCondSync.but(func(p *Policy) {
	p.OneToTwo = []Step{callIterator, publish, getStateIfFuncMoved(sN21)}
	p.NToNPlusOne = []Step{publish, getStateIfFuncMoved(sN21)}
	p.NToNMinusOne = []Step{publish, getStateIfFuncMoved(sN21)}
	p.TwoToOne = []Step{publish, getStateIfFuncMoved(sN21), condSync(sN21), callFirst}
})

// getStateIfFuncMoved is getStateIfMoved that compares functions.
func getStateIfFuncMoved(id snapshotID) Step {
	get := getState(id)
	return Step{Name: get.Name + " if [0].func changed", do: each(func(c *change) error {
		// Deliberate bug (fixed by f7ec41212563): readers hold data, not functions.
		if c.old[0].Fn == c.new[0].Fn {
			return nil
		}
		return get.do([]*change{c})
	})}
}
