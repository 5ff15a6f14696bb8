package harness

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/harness/host"
)

// Env is what a Case opens in.
type Env struct {
	// Layout is below Case.Layouts: the alignment to measure at.
	Layout int

	// Round counts up from 0; it seeds what a case draws.
	Round int

	// Pinned says that each thread of Beside gets one of CPUs to itself. Package
	// testing's benchmarks pin nothing.
	Pinned bool
	CPUs   []int

	threads []*thread
}

// A thread is busy beside the measuring one.
type thread struct {
	// beats counts passes. Written by the thread, read by the measuring one.
	beats atomic.Uint64
	_     [56]byte

	tid   int  // the kernel's, set before ready
	waits bool // it sleeps as part of its work: passes count, time on the CPU does not
	stop  atomic.Bool
	ready chan error
	gone  chan struct{}
}

// Beside starts a thread on a CPU of its own that calls pass again and again until
// Stop. open runs on that thread first and returns pass and what to do in the end.
// pass should take between 1 and 500 us: the harness counts a batch only while
// passes go on, and assembler in it cannot be preempted. Beside returns when the
// first pass is over.
func (e *Env) Beside(open func() (pass, end func(), err error)) error {
	return e.start(&thread{}, open)
}

// BesideWaiting is Beside for a thread whose passes sleep, for grace periods say.
func (e *Env) BesideWaiting(open func() (pass, end func(), err error)) error {
	return e.start(&thread{waits: true}, open)
}

func (e *Env) start(t *thread, open func() (pass, end func(), err error)) error {
	t.ready, t.gone = make(chan error), make(chan struct{})
	cpu := -1
	if e.Pinned {
		if len(e.threads) == len(e.CPUs) {
			return fmt.Errorf("harness: the case starts more threads than its CPUs allow (%d)", len(e.CPUs)+1)
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
		t.beats.Add(1)
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

// share is how much of the wall clock a thread must have been on its CPU for a
// batch to count. What the host steals, which interrupts provoke, is missing from a
// thread's time as well, so it cannot be near 1.
const share = 0.5

// A watch remembers how far the threads were.
type watch struct {
	threads []*thread
	began   time.Time
	beats   []uint64
	onCPU   []time.Duration
}

// watch begins to watch the threads. A batch beside a thread that was kept off its
// CPU is not just noisy, it is wrong: a barrier that interrupts running CPUs costs
// a twentieth when there is none to interrupt.
func (e *Env) watch() *watch {
	w := &watch{threads: e.threads}
	for _, t := range e.threads {
		w.beats = append(w.beats, t.beats.Load())
		w.onCPU = append(w.onCPU, threadTime(t.tid))
	}
	w.began = time.Now()
	return w
}

// moved reports whether each thread made a pass since, and had its CPU.
func (w *watch) moved() bool {
	elapsed := time.Since(w.began)
	for i, t := range w.threads {
		if !t.moved(t.beats.Load()-w.beats[i], threadTime(t.tid)-w.onCPU[i], elapsed) {
			return false
		}
	}
	return true
}

// moved judges what the thread did in some time.
func (t *thread) moved(passes uint64, onCPU, elapsed time.Duration) bool {
	return passes > 0 && (t.waits || onCPU >= time.Duration(share*float64(elapsed)))
}
