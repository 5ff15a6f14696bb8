package rcu

import (
	"time"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// tasksTrace: as memb, but it also waits for the sections of idle readers, and it sleeps while
// it waits: its sections may sleep, so a grace period must not keep a CPU busy until one ends.
// It models RCU Tasks Trace, whose sections bpf programs that may fault use, and uprobes.
//
//	CPU0, updater                      CPU1, reader
//	                                   EnterIdle
//	                                   enter (Lock): word = c
//	                                   load: p = what is published
//	unpublish p
//	begin, barrier: a fence on CPU1
//	                                   sleeps, migrates, continues on CPU2
//	scan: the word shows a section
//	   from before begin;
//	   sleep, look again
//	                                   use p
//	                                   leave
//	scan: left
//	reuse
//
// The kernel's readers count their nesting in the task, as the word does. They have no fences
// where CONFIG_TASKS_TRACE_RCU_READ_MB is off. There the grace period interrupts each CPU to
// look at the task that runs on it, which is the barrier. Then it walks a list of the tasks
// that it waits for, again and again, with pauses that grow. Callers that come meanwhile share
// the next grace period. Not modelled is the synchronize_rcu inside it, which waits for tasks
// that are about to exit; here a reader unregisters.
func tasksTrace(o Options) *Domain {
	return open(flavour{
		snap: wholeGracePeriod, barrier: membarrierPrivate, left: leftSection,
		watchesIdle: true, wait: waitAsleep,
	}, o)
}

// waitAsleep sleeps between polls, each time longer, up to a millisecond.
func waitAsleep(done func() bool) {
	for delay := 10 * time.Microsecond; !done(); delay = min(2*delay, time.Millisecond) {
		step.Wait("rcu: waits for a reader")
		sleep(delay)
	}
}
