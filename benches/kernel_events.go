package benches

import (
	"errors"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/kernel"
)

// Switching the running kernel's events through tracefs, as `echo 0 > events/enable` does.

var kernelBulkBench = ofKernel(Benchmark{
	Names:  []string{"KernelDisableAll", "KernelEnableAll"},
	Doc:    "the running kernel: one write that disables all its events, or all of a subsystem, and one that enables them again",
	Models: []string{"DisableAll", "EnableAll"},
	Shown:  "system=" + allEvents,
	axes:   []axis{axisOf("system", allEvents, "syscalls", "sched", "kmem", "timer")}, // which all releases have
	check:  checkEvents(inSystem),
	slow:   func(keys) time.Duration { return slowKernel },
	ops: func(k keys) int {
		if k["system"] == allEvents {
			return 1
		}
		return transitionsPerSample
	},
}, func(k keys) (*kernelOp, error) {
	what := inSystem(k)[0]
	n, err := kernel.Events(what)
	if err != nil {
		return nil, err
	}
	return withInstance(func(i *kernel.Instance) (*kernelOp, error) {
		return &kernelOp{
			run:    switches(func() error { return i.Enable(what, false) }, func() error { return i.Enable(what, true) }),
			events: n,
			divide: []harness.Count{{Unit: "event", N: uint64(n)}},
		}, i.Enable(what, true)
	})
})

// allEvents is the value of the key system for those of all subsystems.
const allEvents = "all"

// inSystem is what kernel.Events calls the events of the key system.
func inSystem(k keys) []string {
	if k["system"] == allEvents {
		return []string{""}
	}
	return []string{k["system"]}
}

// quietEvent happens so seldom that no other use of the machine fires it all the time.
const quietEvent = "task_rename"

// toggled are the events of the key event: one that is quiet, and one that fires all the time.
var toggled = map[string]string{quietEvent: "task/" + quietEvent, "sched_switch": "sched/sched_switch"}

var kernelToggleBench = ofKernel(Benchmark{
	Names:  []string{"KernelToggle"},
	Doc:    "the running kernel: one event on, and off again",
	Models: []string{"PingPong"},
	Shown:  "event=" + quietEvent,
	axes:   []axis{axisOf("event", quietEvent, "sched_switch")},
	check:  checkEvents(func(k keys) []string { return []string{toggled[k["event"]]} }),
	ops:    always(transitionsPerSample),
}, func(k keys) (*kernelOp, error) {
	what := toggled[k["event"]]
	return withInstance(func(i *kernel.Instance) (*kernelOp, error) {
		return &kernelOp{run: inOne(func() error {
			return firstError(
				func() error { return i.Enable(what, true) },
				func() error { return i.Enable(what, false) })
		})}, nil
	})
})

// churned are two ordinary events.
var churned = []string{toggled[quietEvent], "task/task_newtask"}

var kernelChurnBench = ofKernel(Benchmark{
	Names:  []string{"KernelChurn"},
	Doc:    "the running kernel: one event off, and another one on",
	Models: []string{"Churn"},
	check:  checkEvents(func(keys) []string { return churned }),
	ops:    always(transitionsPerSample),
}, func(keys) (*kernelOp, error) {
	return withInstance(func(i *kernel.Instance) (*kernelOp, error) {
		on := 0 // of churned
		return &kernelOp{run: inOne(func() error {
			off := on
			on = 1 - on
			return firstError(
				func() error { return i.Enable(churned[off], false) },
				func() error { return i.Enable(churned[on], true) })
		})}, i.Enable(churned[on], true)
	})
})

// inOne makes a Run of operations that are timed together, so that none of them begins after a pause.
func inOne(do func() error) func(n int, t harness.Timer) {
	return func(n int, t harness.Timer) {
		t.Start(0)
		for range n {
			must(do())
		}
		t.Stop()
	}
}

// firstError does one step after the other, until one fails.
func firstError(steps ...func() error) error {
	for _, do := range steps {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// checkEvents is a check that the kernel has events.
func checkEvents(what func(keys) []string) func(keys) error {
	return func(k keys) error {
		if err := kernel.Check(); err != nil {
			return err
		}
		for _, w := range what(k) {
			if _, err := kernel.Events(w); err != nil {
				return err
			}
		}
		return nil
	}
}

// withInstance prepares an operation on the events of a tracing instance, which ends with it. If
// preparing fails, the instance ends, too.
func withInstance(prepare func(*kernel.Instance) (*kernelOp, error)) (*kernelOp, error) {
	i, err := kernel.Open()
	if err != nil {
		return nil, err
	}
	o, err := prepare(i)
	if err != nil {
		return nil, errors.Join(err, i.Close())
	}
	o.close = i.Close
	return o, nil
}
