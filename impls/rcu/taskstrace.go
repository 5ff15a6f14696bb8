package rcu

import (
	"time"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// tasksTrace: as memb, but it waits for the sections of idle readers too, and from sleep:
// its sections may sleep themselves, so that whoever waits for one must not keep a CPU.
// It models RCU Tasks Trace, which bpf programs that may fault and uprobes stand in.
//
//	CPU0, updater                      CPU1, reader
//	                                   EnterIdle
//	                                   Lock, L2 word = c
//	                                   L3 p = what is published
//	U1 unpublish p
//	U2, U3: a fence on CPU1
//	                                   sleeps, is moved, goes on elsewhere
//	U4 the word, whoever runs:
//	   a section from before U2
//	   sleep, look again
//	                                   L4 uses p
//	                                   L5 leaves
//	U4 left
//
// The kernel's readers count their nesting in the task, as the word does, and without
// fences where CONFIG_TASKS_TRACE_RCU_READ_MB is off; its grace period then interrupts
// each CPU for what runs there, U3, and walks a list of tasks that hold it up, in rounds
// with pauses that grow. Callers that come meanwhile share the next one. Not modelled: the
// synchronize_rcu inside, which waits for tasks that are about to exit; here a reader
// unregisters.
func tasksTrace(o Options) *Domain {
	return open(flavor{
		snap: wholeGracePeriod, barrier: membarrierPrivate, left: leftSection,
		watchesIdle: true, wait: waitAsleep,
	}, o)
}

// waitAsleep polls from sleep, ever more seldom.
func waitAsleep(done func() bool) {
	for nap := 10 * time.Microsecond; !done(); nap = min(2*nap, time.Millisecond) {
		step.Wait("rcu: waits for a reader")
		sleep(nap)
	}
}
