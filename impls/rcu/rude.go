package rcu

// rude: U3 runs an empty work item on every CPU, so that each of them switches context,
// and it waits for readers that vanilla RCU does not watch. It models the kernel's
// schedule_on_each_cpu, "RCU from a stone age", which livepatch still calls, and
// synchronize_rcu_tasks_rude, which adds that callers share a grace period.
//
// The work items are one thread that moves from CPU to CPU. At the moment P(c) at which it
// runs on CPU c, no reader does:
//
//		CPU0, updater              CPU1                            the reader on CPU1
//		                                                           L2 reader.word = c, in the store buffer
//		U1 unpublish
//		U2
//		U3 move to CPU1
//		                           switch, a full fence            L2 reaches the cache
//		                           P(CPU1)
//		   P(CPU1) has been
//		                           switch back                     L3 sees U1
//		U4 reader.word
//
//	 1. A reader that stays on CPU c from U2 to the end of U3 is off the CPU at P(c). Let
//	    that place in its program be the M of the package's protocol. The switch away
//	    makes its stores before M visible before P(c), hence before U4; the switch back
//	    comes after P(c), hence its loads after M come after U1.
//	 2. One that leaves c before P(c) was switched away from c for it, after U2, and is
//	    switched to its new CPU before it goes on. That place is its M. So it does not
//	    matter which CPUs have been visited when: who flees from the thread has had his
//	    switch by fleeing.
//	 3. Hence the CPUs to visit are those that a reader may be on at U2: all that the
//	    process's cpuset has, whatever the affinity of the caller. A CPU that goes offline
//	    meanwhile drives its readers away.
//
// What the kernel's item also does, and ours cannot: it waits for regions with preemption
// disabled, since nothing else can be scheduled on their CPU until they end. User space
// cannot disable preemption. Here that region is the reader's section, and its word says
// that it lasts: an item counts as run on a CPU when U4 has found it over. So ours waits
// for sections whose thread was preempted as well, which the kernel's does not: there a
// task preempted inside a trampoline needs synchronize_rcu_tasks on top. Since about
// 6.12 x86 has no need of synchronize_rcu_tasks_rude, which does nothing there: noinstr
// keeps tracing out of code that RCU does not watch. The raw call still does its work.
//
// A CPU that a real-time thread never gives up holds a grace period for ever, as in the
// kernel.
func rude(o Options) *Domain {
	w := newSweeper()
	d := open(flavor{snap: wholeGracePeriod, left: leftSection, watchesIdle: true, close: w.stop}, o)
	d.flavor.barrier = func() { d.items.Add(w.everyCPU()) }
	return d
}
