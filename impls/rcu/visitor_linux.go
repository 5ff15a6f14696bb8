package rcu

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// A cpuVisitor is a thread that runs on every CPU in turn, in place of the kernel's kworker of
// each CPU. It has its own thread, so no other thread's affinity changes. Domain.mu must be
// held when its methods are called.
type cpuVisitor struct {
	work chan chan uint64
	once sync.Once
}

func newCPUVisitor() *cpuVisitor {
	w := &cpuVisitor{work: make(chan chan uint64)}
	go w.run()
	return w
}

// everyCPU returns when the thread has run on every CPU that this process may use. It returns
// their number. The caller sleeps meanwhile.
func (w *cpuVisitor) everyCPU() uint64 {
	items := make(chan uint64)
	w.work <- items
	return <-items
}

// stop ends the thread. It may be called twice.
func (w *cpuVisitor) stop() { w.once.Do(func() { close(w.work) }) }

func (w *cpuVisitor) run() {
	// Never unlocked: the thread ends with this goroutine, and its affinity with it. Go's
	// runtime does not clone new threads from a locked one, so none inherits the affinity.
	runtime.LockOSThread()
	for items := range w.work {
		items <- visitCPUs()
	}
}

// visitCPUs moves the calling thread to every CPU that its cpuset has now: sched_setaffinity
// returns on a CPU of the set that it is given. The raw system call keeps the thread's P, so
// when Go's runtime stops the world it waits for the move, which may last a time slice of
// another thread on that CPU.
func visitCPUs() (items uint64) {
	var all unix.CPUSet
	for i := range all {
		all[i] = ^all[i]
	}
	if err := unix.SchedSetaffinity(0, &all); err != nil {
		panic("rcu: giving the visiting thread all CPUs: " + err.Error())
	}
	// The kernel has left only the cpuset's CPUs in the set.
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		panic("rcu: reading the cpuset's CPUs, checked before, failed: " + err.Error())
	}
	for cpu := range 64 * len(all) {
		if !all.IsSet(cpu) {
			continue
		}
		var one unix.CPUSet
		one.Set(cpu)
		switch err := unix.SchedSetaffinity(0, &one); err {
		case nil:
			items++
		case unix.EINVAL: // the CPU went offline
		default:
			panic("rcu: moving the visiting thread: " + err.Error())
		}
	}
	return items
}

func checkRude() error {
	if err := checkArch(); err != nil {
		return err
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return unsupported("a work item on every CPU", "sched_getaffinity returns "+err.Error(), "run outside sandboxes that filter system calls, with 1024 CPUs or fewer")
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return unsupported("a work item on every CPU", "sched_setaffinity returns "+err.Error(), "run outside sandboxes that filter system calls")
	}
	return nil
}
