package rcu

// rude: the barrier runs an empty work item on every CPU, so that each CPU switches context.
// The scan also waits for readers that vanilla RCU does not watch. It models the kernel's
// schedule_on_each_cpu ("RCU from a stone age"), which livepatch still calls, and
// synchronize_rcu_tasks_rude, where callers also share a grace period.
//
// One thread that moves from CPU to CPU runs the work items. P(c) is the moment at which it
// runs on CPU c. No reader runs on c then:
//
//		CPU0, updater              CPU1                      the reader on CPU1
//		                                                     enter: reader.word = c,
//		                                                        in the store buffer
//		unpublish
//		begin
//		barrier: move to CPU1
//		                           switch, a full fence      enter's store reaches the cache
//		                           P(CPU1)
//		   P(CPU1) is over
//		                           switch back               load: sees unpublish
//		scan: reader.word
//
//	 1. Suppose that a reader stays on CPU c from begin to the end of the barrier. It is off the
//	    CPU at P(c). Let that place in its program be the M of the package's protocol. The
//	    switch away makes its stores before M visible before P(c), so before the scan. The
//	    switch back comes after P(c), so its loads after M come after unpublish.
//	 2. Suppose that a reader leaves c before P(c). It was switched away from c after begin, and
//	    is switched to its new CPU before it continues. That place is its M. So the order in
//	    which CPUs are visited does not matter: a reader that migrates has already switched
//	    context.
//	 3. So the thread must visit every CPU that a reader may be on at begin: all CPUs of the
//	    process's cpuset, whatever the affinity of the caller. A CPU that goes offline in
//	    between moves its readers to other CPUs.
//
// The kernel's work item does one thing more: it waits for regions with preemption disabled,
// since nothing else can be scheduled on their CPU until they end. User space cannot disable
// preemption. Here the reader's section is that region, and the reader's word shows that it
// lasts: the scan waits for it to end. So this flavour also waits for sections whose thread
// was preempted. The kernel's does not: there a task that is preempted inside a trampoline
// needs synchronize_rcu_tasks too. Since about 6.12, synchronize_rcu_tasks_rude does nothing
// on x86: noinstr keeps tracing out of code that RCU does not watch. Here a grace period of
// rude always runs its work items.
//
// A real-time thread that never leaves its CPU keeps a grace period from ending, as in the
// kernel.
func rude(o Options) *Domain {
	w := newCPUVisitor()
	d := open(flavour{snap: wholeGracePeriod, left: leftSection, watchesIdle: true, close: w.stop}, o)
	d.flavour.barrier = func() { d.items.Add(w.everyCPU()) }
	return d
}
