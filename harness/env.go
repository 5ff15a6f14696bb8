package harness

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/harness/host"
)

// Env is what Case.Open gets: its layout and round, and a way to start threads.
type Env struct {
	// Layout is the alignment to measure at, below Case.Layouts.
	Layout int

	// Round counts from 0. A case may use it to seed random numbers.
	Round int

	// Pinned: each thread of Beside is pinned to its own one of CPUs. A benchmark of
	// package testing pins none.
	Pinned bool
	CPUs   []int

	threads []*thread
}

// A thread works beside the measuring one.
type thread struct {
	passes atomic.Uint64 // written by the thread, read by the measuring one
	_      [56]byte      // passes has a cache line to itself

	tid   int  // the kernel's number; set before ready
	waits bool // it sleeps as part of its work, so its time on the CPU does not matter
	stop  atomic.Bool
	ready chan error    // gets nil after the first pass, or why there is none
	gone  chan struct{} // closed when the thread has ended
}

// Beside starts a thread on another CPU that calls open, then pass until Stop, and then end. pass
// should take between 1 and 500 us: a batch counts only if the thread made a pass during it, and
// assembler in a pass cannot be preempted. Beside returns after the first pass.
func (e *Env) Beside(open func() (pass, end func(), err error)) error {
	return e.start(&thread{}, open)
}

// BesideWaiting is Beside for a thread whose passes sleep, in grace periods for example.
func (e *Env) BesideWaiting(open func() (pass, end func(), err error)) error {
	return e.start(&thread{waits: true}, open)
}

func (e *Env) start(t *thread, open func() (pass, end func(), err error)) error {
	t.ready, t.gone = make(chan error), make(chan struct{})
	cpu := -1
	if e.Pinned {
		if len(e.threads) == len(e.CPUs) {
			return fmt.Errorf("harness: the case starts more threads than it has CPUs (%d)", len(e.CPUs)+1)
		}
		cpu = e.CPUs[len(e.threads)]
	}
	go t.loop(cpu, open)
	if err := <-t.ready; err != nil {
		return err
	}
	e.threads = append(e.threads, t)
	return nil
}

func (t *thread) loop(cpu int, open func() (pass, end func(), err error)) {
	defer close(t.gone)
	runtime.LockOSThread()
	if cpu >= 0 {
		if err := host.Pin(cpu); err != nil {
			t.ready <- err
			return
		}
	}
	t.tid = threadID()
	pass, end, err := open()
	if err != nil {
		t.ready <- err
		return
	}
	pass()
	t.ready <- nil
	for !t.stop.Load() {
		pass()
		t.passes.Add(1)
	}
	end()
}

// Stop ends the threads of Beside and waits for them.
func (e *Env) Stop() {
	for _, t := range e.threads {
		t.stop.Store(true)
	}
	for _, t := range e.threads {
		<-t.gone
	}
	e.threads = nil
}

// leastOnCPU is the share of a batch's time that a thread must have been on its CPU. It
// cannot be near 1: time that the host steals, as it does around interrupts, is missing too.
const leastOnCPU = 0.5

// watch begins to watch the threads. It returns a function that reports whether each thread made
// a pass since then, and was on its CPU. A batch is wrong if a thread beside it did not run: a
// barrier that interrupts the CPUs that run this process takes a twentieth of the time
// when there is none.
func (e *Env) watch() (moved func() bool) {
	var passes []uint64
	var onCPU []time.Duration
	for _, t := range e.threads {
		passes, onCPU = append(passes, t.passes.Load()), append(onCPU, threadTime(t.tid))
	}
	began := time.Now()
	return func() bool {
		elapsed := time.Since(began)
		for i, t := range e.threads {
			if !t.moved(t.passes.Load()-passes[i], threadTime(t.tid)-onCPU[i], elapsed) {
				return false
			}
		}
		return true
	}
}

// moved judges what the thread did in the elapsed time.
func (t *thread) moved(passes uint64, onCPU, elapsed time.Duration) bool {
	return passes > 0 && (t.waits || onCPU >= time.Duration(leastOnCPU*float64(elapsed)))
}
