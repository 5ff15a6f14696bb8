package harness

import (
	"io"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/harness/host"
)

// If this fails, a thread beside shares the CPU of the measuring one, or Go's scheduler
// has too few Ps for both: the two run in turn and not at the same time.
func TestThreadsHaveCPUsOfTheirOwn(t *testing.T) {
	c := openClock(t)
	allowed, err := host.Allowed()
	if err != nil || len(allowed) < 2 {
		t.Skipf("%d CPUs, %v", len(allowed), err)
	}
	own := func() (set unix.CPUSet) {
		if err := unix.SchedGetaffinity(0, &set); err != nil {
			t.Error(err)
		}
		return set
	}
	var measuring, beside unix.CPUSet
	procs := 0
	cs := &Case{Names: []string{"A"}, CPUs: 2, Ops: 1, Open: func(e *Env) (*Op, error) {
		err := e.Beside(func() (pass, end func(), err error) {
			beside = own()
			return func() { emptyLoop(10_000) }, func() {}, nil
		})
		return &Op{Run: func(n int, timer Timer) {
			measuring, procs = own(), runtime.GOMAXPROCS(0)
			timer.Start(0)
			emptyLoop(1_000_000)
			timer.Stop()
		}, Close: e.Stop}, err
	}}
	_ = work(t.Context(), io.Discard, c, cs, Task{Names: cs.Names}) // it may fail on a busy machine, and Run has run
	if measuring.Count() != 1 || beside.Count() != 1 || measuring == beside || !measuring.IsSet(allowed[1]) {
		t.Errorf("of the CPUs %v the measuring thread has %v, and the one beside %v", allowed, measuring, beside)
	}
	if procs < 4 {
		t.Errorf("GOMAXPROCS is %d with two pinned threads", procs)
	}
}
