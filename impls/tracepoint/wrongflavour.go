package tracepoint

import (
	"sync"

	"github.com/tpbench/tpbench/impls/rcu"
)

// wrongFlavour is tp-V8: rcuCondSync whose snapshots are of an engine in which the readers
// of its sites do not stand. It remembers, polls and waits, all in vain. About 6.17
// the kernel's snapshots are of vanilla RCU, while the readers of system call
// tracepoints are of RCU Tasks Trace.
//
//	CPU0, updater                        CPU1, reader in a site, of flavour 2
//	                                     R4 d = p[0].data      // A's data
//	1->0 remove A: s = get_state of flavour 1
//	0->1 add B: cond_sync(s) of flavour 1: nobody to wait for
//	     static call = B
//	                                     R5 static call(d)     // B with A's data
var wrongFlavour = rcuCondSync.but(func(p *Policy) {
	p.ZeroToOne = []Step{condSyncVanilla(s101), callFirst, publish, keyEnable}
	p.OneToTwo = []Step{callIterator, publish, getStateVanilla(sN21)}
	p.NToNPlusOne = []Step{publish, getStateVanilla(sN21)}
	p.NToNMinusOne = []Step{publish, getStateVanilla(sN21)}
	p.TwoToOne = []Step{publish, getStateVanilla(sN21), condSyncVanilla(sN21), callFirst}
	p.OneToZero = []Step{keyDisable, callIterator, publish, getStateVanilla(s101)}
})

// vanilla is flavour 1, one for the process as the kernel's is.
var vanilla = sync.OnceValue(func() *rcu.Domain {
	return rcu.Variants()[0].New(rcu.Options{Lazy: rcu.OnlyBarrier})
})

func getStateVanilla(id snapshotID) Step {
	return Step{Name: "get_state(" + id.String() + ") of vanilla RCU", do: each(func(c *change) error {
		c.registry.snapshots[id] = snapshot{vanilla().GetState(), true}
		return nil
	})}
}

func condSyncVanilla(id snapshotID) Step {
	return Step{Name: "cond_sync(" + id.String() + ") of vanilla RCU", waits: true, do: each(func(c *change) error {
		s := &c.registry.snapshots[id]
		if s.ongoing {
			vanilla().CondSync(s.state) // Deliberate bug (unconfirmed upstream): the readers are elsewhere.
			s.ongoing = false
		}
		return nil
	})}
}
