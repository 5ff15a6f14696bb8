package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// indirectIterator keeps T1 without any wait, because its static calls always go to the
// iterator, and the iterator reads function and data from one entry. Readers have the cost: an
// indirect call for each probe, a retpoline on many CPUs. A reader may walk an old array until
// it leaves its read section. The release of arrays waits for that, the updater does not.
var indirectIterator = Policy{
	Dispatch: dispatch.Dispatch{},

	ZeroToOne:    []Step{publish, keyEnable},
	OneToTwo:     []Step{publish},
	NToNPlusOne:  []Step{publish},
	NToNMinusOne: []Step{publish},
	TwoToOne:     []Step{publish},
	OneToZero:    []Step{keyDisable, publish},
}
