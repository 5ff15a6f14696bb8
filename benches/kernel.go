package benches

import (
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/kernel"
)

// The benchmarks of the running kernel. Each has a file for its group, which has what is different
// about it. All have in common:
//
//  1. They are apart: they make the whole machine slower, so they run only where they are named.
//  2. Their names hold nothing that differs from one release to another, such as the number of events. It is a
//     value. So one operation has one name in all releases.
//  3. After the last timed operation they count, in a pass of its own, who waited for which grace period
//     (see countWaits).
//  4. The worker sweeps before it opens one. A worker that was killed may have left its events on, and the
//     same events would then go from one probe to two, and not from none to one.

// kernelWord is the one that the names of these benchmarks begin with.
const kernelWord = "Kernel"

// slowKernel is how much longer a sample may take that waits for a grace period at each of thousands of
// events, as kernels up to 2021 did: 10 s to disable them, and it does so in two passes.
const slowKernel = 5 * time.Minute

// A kernelOp is one operation on the running kernel, prepared.
type kernelOp struct {
	run    func(n int, t harness.Timer)
	close  func() error // undoes what preparing did, or nil
	events int          // that one operation changes, if that differs between releases; or 0
	divide []harness.Count
}

// ofKernel completes a benchmark of the running kernel. open prepares an operation.
func ofKernel(b Benchmark, open func(keys) (*kernelOp, error)) Benchmark {
	b.Apart = kernelWord
	for range b.Names {
		b.Roles = append(b.Roles, "kernel")
	}
	b.open = func(k keys, _ *harness.Env) (*harness.Op, error) {
		o, err := open(k)
		if err != nil {
			return nil, err
		}
		counted := sync.OnceValue(func() [][]harness.Value { return countWaits(o.run, b.ops(k), len(b.Names)) })
		return &harness.Op{
			Run: o.run,
			Values: func(phase int) []harness.Value {
				var values []harness.Value
				if b.ops != nil { // or there is nothing to count: the operation neither sleeps nor patches
					values = counted()[phase]
				}
				if o.events > 0 {
					values = append(values, harness.Value{Unit: "events", V: float64(o.events)})
				}
				return values
			},
			Divide: o.divide,
			Close: func() {
				if o.close != nil {
					must(o.close())
				}
			},
		}, nil
	}
	return b
}

// countWaits performs n operations once more, untimed, and returns for each phase what the kernel
// counted, per operation. It counts in the rhythm in which the operations were timed: after a pause a
// grace period has passed that the operation would have waited for. So the counters are read at the
// beginning and at the end of a timed part, and nothing waits between the two parts of an operation.
//
// What other threads of the kernel do for the last operation comes after its end, and is added.
// Without counters it returns no values: see kernel.NewCounter.
func countWaits(run func(n int, t harness.Timer), n, phases int) [][]harness.Value {
	runtime.LockOSThread() // whose waits are counted
	defer runtime.UnlockOSThread()
	c, err := kernel.NewCounter()
	if errors.Is(err, impls.ErrUnsupported) {
		return make([][]harness.Value, phases)
	}
	must(err)
	read := func() kernel.Counts {
		counts, err := c.Read()
		must(err)
		return counts
	}
	must(c.Settle())
	values := perPhase(read, func() { must(c.Settle()) }, run, n, phases)
	must(c.Close())
	return values
}

// perPhase performs n operations and returns what read counts in their timed parts, per operation. What
// comes until everything is settled is added to the last part.
func perPhase(read func() kernel.Counts, settle func(), run func(n int, t harness.Timer), n, phases int) [][]harness.Value {
	t := &waitTimer{read: read, phases: make([]kernel.Counts, phases)}
	run(n, t)
	t.begin = read() // what the run did after its last timed part is not counted
	settle()
	t.Stop()
	values := make([][]harness.Value, phases)
	for i, counts := range t.phases {
		for _, unit := range slices.Sorted(maps.Keys(counts)) {
			values[i] = append(values[i], harness.Value{Unit: unit + "/op", V: counts[unit] / float64(n)})
		}
	}
	return values
}

// A waitTimer is a Timer that adds up what the kernel counts in the timed parts of each phase.
type waitTimer struct {
	read    func() kernel.Counts
	current int
	begin   kernel.Counts // of the current part
	phases  []kernel.Counts
}

func (t *waitTimer) Start(phase int) { t.current, t.begin = phase, t.read() }

func (t *waitTimer) Stop() {
	end := t.read()
	if t.phases[t.current] == nil {
		t.phases[t.current] = kernel.Counts{}
	}
	for unit, n := range end.Since(t.begin) {
		t.phases[t.current][unit] += n
	}
}
