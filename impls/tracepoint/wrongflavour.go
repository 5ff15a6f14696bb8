package tracepoint

import (
	"sync"

	"github.com/tpbench/tpbench/impls/rcu"
)

// wrongFlavour is tp-V8: rcuCondSync that takes its snapshots from another flavour than the one
// that waits for its readers. It remembers, polls and waits, all to no effect. In the kernel
// of about v6.17 the snapshots are of plain RCU, while the readers of system call tracepoints
// are of RCU Tasks Trace.
//
//	CPU0, updater                        CPU1, reader in a site, of flavour 2
//	                                     load data: d = p[0].data  // A's data
//	1->0 remove A: s = get_state of flavour 1
//	0->1 add B: cond_sync(s) of flavour 1: has no readers to wait for
//	     static call = B
//	                                     call: static call(d)      // B with A's data
var wrongFlavour = rcuCondSync.but(func(p *Policy) {
	p.ZeroToOne = []Step{condSyncVanilla(s101), callFirst, publish, keyEnable}
	p.OneToTwo = []Step{callIterator, publish, getStateVanilla(sN21)}
	p.NToNPlusOne = []Step{publish, getStateVanilla(sN21)}
	p.NToNMinusOne = []Step{publish, getStateVanilla(sN21)}
	p.TwoToOne = []Step{publish, getStateVanilla(sN21), condSyncVanilla(sN21), callFirst}
	p.OneToZero = []Step{keyDisable, callIterator, publish, getStateVanilla(s101)}
})

// vanilla is flavour 1. The process has one, as the kernel has one plain RCU.
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
			vanilla().CondSync(s.state) // Deliberate bug (unconfirmed upstream): the readers are of another flavour.
			s.ongoing = false
		}
		return nil
	})}
}
