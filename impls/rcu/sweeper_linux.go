package rcu

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// A sweeper is a thread of its own, the kworker of all CPUs: nobody else's affinity is
// touched. Its methods are called under Domain.mu.
type sweeper struct {
	work chan chan uint64
	once sync.Once
}

func newSweeper() *sweeper {
	w := &sweeper{work: make(chan chan uint64)}
	go w.run()
	return w
}

// everyCPU returns when the thread has run on every CPU that this process may use, and
// on how many it has. Meanwhile the caller sleeps.
func (w *sweeper) everyCPU() uint64 {
	items := make(chan uint64)
	w.work <- items
	return <-items
}

// stop ends the thread. It may be called twice.
func (w *sweeper) stop() { w.once.Do(func() { close(w.work) }) }

func (w *sweeper) run() {
	// For good: the goroutine ends with its thread, and with that one's affinity. A
	// thread of Go's that is locked is never what another is cloned from.
	runtime.LockOSThread()
	for items := range w.work {
		items <- sweep()
	}
}

// sweep moves the calling thread to every CPU that its cpuset has now. sched_setaffinity
// returns on one of the CPUs that it names. The raw system call keeps its P: a stop of
// the world waits for the move, which may take the time slice of whoever is there.
func sweep() (items uint64) {
	var all unix.CPUSet
	for i := range all {
		all[i] = ^all[i]
	}
	if err := unix.SchedSetaffinity(0, &all); err != nil {
		panic("rcu: giving the sweeping thread all CPUs: " + err.Error())
	}
	// The kernel has cut it down to the cpuset's.
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
		case unix.EINVAL: // offline since
		default:
			panic("rcu: moving the sweeping thread: " + err.Error())
		}
	}
	return items
}

func checkRude() error {
	if err := checkArch("rude"); err != nil {
		return err
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return unsupportedRude("sched_getaffinity answers "+err.Error(), "run outside sandboxes that filter system calls, with 1024 CPUs or fewer")
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return unsupportedRude("sched_setaffinity answers "+err.Error(), "run outside sandboxes that filter system calls")
	}
	return nil
}
