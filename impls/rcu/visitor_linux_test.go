package rcu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"golang.org/x/sys/unix"
)

// If this fails, a work item is counted for a CPU that has not switched context, and a reader's
// store may still be in that CPU's store buffer (rcu-L2). In this test a thread spins on each CPU:
// it is switched out while the item runs there.
func TestG1RudeSwitchesEveryCPU(t *testing.T) {
	judge.Need(t, checkRude(), "rcu", "rude")
	var allowed unix.CPUSet
	judge.Check(t, unix.SchedGetaffinity(0, &allowed))
	cpus := allowed.Count()
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), cpus+2))
	defer runtime.GOMAXPROCS(before)
	d := rude(Options{Lazy: OnlyBarrier})
	defer d.Close()
	for range 3 {
		var stop atomic.Bool
		var spinning, spinners sync.WaitGroup
		for cpu := range 64 * len(allowed) {
			if !allowed.IsSet(cpu) {
				continue
			}
			spinning.Add(1)
			spinners.Go(func() {
				runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
				var one unix.CPUSet
				one.Set(cpu)
				if err := unix.SchedSetaffinity(0, &one); err != nil {
					t.Error(err)
				}
				was := switches(t)
				spinning.Done()
				for !stop.Load() {
					spinABit()
				}
				if switches(t) == was {
					t.Errorf("CPU %d has not switched context", cpu)
				}
			})
		}
		spinning.Wait()
		items := d.Work().Items
		d.Synchronize()
		stop.Store(true)
		spinners.Wait()
		if got := d.Work().Items - items; got < uint64(cpus) {
			t.Errorf("%d work items, on %d CPUs", got, cpus)
		}
	}
}

// If this fails, a grace period of taskstrace keeps a CPU busy while it waits for readers, which may
// sleep in their sections for long.
func TestTasksTraceWaitsAsleep(t *testing.T) {
	judge.Need(t, checkPrivate(), "rcu", "taskstrace")
	d := tasksTrace(Options{Lazy: OnlyBarrier})
	defer d.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const looks = 5
	before, n := switches(t), 0
	d.flavour.wait(func() bool { n++; return n > looks })
	if got := switches(t) - before; got < looks {
		t.Errorf("found the reader inside %d times, and slept %d times", looks, got)
	}
}

// switches returns how often the calling thread has been switched out.
func switches(t *testing.T) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		t.Error(err)
	}
	return u.Nvcsw + u.Nivcsw
}

// spinABit is not inlined, so that the collector can stop a thread that calls it in a loop.
//
//go:noinline
func spinABit() {
	for range 100 {
		pause()
	}
}
