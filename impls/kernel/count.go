package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/cpulist"
)

// Exact counts. A counter is at the beginning of a function by which the kernel waits for readers,
// or makes all CPUs see new code: a kprobe that perf_event_open makes. It has no name in tracefs,
// so switching all events does not switch it, and it goes with the descriptor, however this
// process ends.
//
//  1. NewCounter opens, for each function that this kernel has, a counter of the calling thread,
//     and one of all tasks on each CPU.
//  2. Settle waits until nothing is counted: the kernel turns some new kprobes into jumps a little
//     later, and patching code is one of the things that are counted.
//  3. Read; then the operations run, in the rhythm in which they are timed.
//  4. Settle again: work items that wait on the thread's behalf, such as SRCU's, come later.
//  5. Read again. The difference is exact: no counter loses a call.
//
// Waits of other tasks are inner waits: kworkers and RCU's threads, which end a grace period for
// the thread. On a machine where others do the same, theirs are among them.

// blocking are the functions that wait for a grace period, and the unit of each. Of two functions
// that call each other, the outer one is here. A kernel that lacks a function lacks the unit.
var blocking = []struct{ name, unit string }{
	{"synchronize_rcu", "rcu-waits"}, // also within cond_synchronize_rcu
	{expedited, "rcu-waits"},
	{"synchronize_srcu", "srcu-waits"},
	{"synchronize_rcu_tasks", "tasks-waits"},
	{"synchronize_rcu_tasks_rude", "rude-waits"},
	{"synchronize_rcu_tasks_trace", "tasks-trace-waits"}, // since 7.0 it is synchronize_srcu
}

const (
	// expedited is an inner function while rcu_expedited is set: synchronize_rcu calls it.
	expedited = "synchronize_rcu_expedited"

	// waitGP is where all but expedited and SRCU's wait. In some kernels, such as Debian's 6.1,
	// the compiler has put a copy of synchronize_rcu into cond_synchronize_rcu, where no kprobe of
	// synchronize_rcu sees it. So what comes here and through none of the others is an RCU wait.
	// Newer kernels do not always come here.
	waitGP = "__wait_rcu_gp"

	// syncCore runs on every CPU, once for each time that all must see new code.
	syncCore = "do_sync_core"
)

// Counts are what has happened since a Counter was opened, by unit:
//
//	gp-waits           waits of the thread for a grace period of any kind: the sum of the next five
//	rcu-waits          for RCU
//	srcu-waits         for SRCU
//	tasks-waits        for RCU Tasks
//	rude-waits         for RCU Tasks Rude
//	tasks-trace-waits  for RCU Tasks Trace
//	inner-waits        waits of all other tasks
//	core-syncs         times that all CPUs were made to see new code
//
// A unit is missing if the kernel lacks its function.
type Counts map[string]float64

// Since returns what was added since an earlier reading.
func (c Counts) Since(before Counts) Counts {
	added := Counts{}
	for unit, n := range c {
		added[unit] = n - before[unit]
	}
	return added
}

// A Counter counts what a thread makes the kernel wait for. Other threads may read it.
type Counter struct {
	waits []counted   // blocking's, and waitGP
	syncs []perfEvent // of all tasks, on each CPU
	pause func()
}

// counted is one function by which the kernel waits.
type counted struct {
	name, unit string
	task       perfEvent
	all        []perfEvent // on each CPU
}

// read returns the calls of the thread, and those of all other tasks.
func (f counted) read() (task, others float64, err error) {
	task, err1 := sum(f.task) // first: all is then never less
	all, err2 := sum(f.all...)
	return task, all - task, errors.Join(err1, err2)
}

// A perfEvent counts.
type perfEvent interface {
	count() (uint64, error)
	close() error
}

// NewCounter opens a counter of what the calling thread waits for. The caller is locked to the
// thread (runtime.LockOSThread). A counter that is opened after [Expedite] does not count after
// its restore, and the other way round. The error is an [impls.UnsupportedError] if this kernel
// cannot count.
func NewCounter() (*Counter, error) { return running().newCounter() }

func (s system) newCounter() (*Counter, error) {
	c := &Counter{pause: s.pause}
	if err := s.openCounters(c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (s system) openCounters(c *Counter) error {
	pmu, err := s.pmu("kprobe")
	if err != nil {
		return noCounts(err.Error(), "boot a kernel with CONFIG_KPROBE_EVENTS, with sysfs mounted at /sys")
	}
	online, err1 := s.setting("devices/system/cpu/online")
	cpus, err2 := cpulist.Parse(online)
	set, err3 := s.setting(rcuExpedited)
	if err := cmp.Or(err1, err2, err3); err != nil {
		return noCounts(err.Error(), "mount sysfs at /sys")
	}
	everywhere := func(all *[]perfEvent, name string) error {
		for _, cpu := range cpus {
			e, err := s.openProbe(pmu, name, 0, -1, cpu)
			if err != nil {
				return err
			}
			*all = append(*all, e)
		}
		return nil
	}
	refused := func(err error) error { return noCounts(err.Error(), "run as root") }
	waits := func(name, unit string) error {
		task, err := s.openProbe(pmu, name, 0, 0, -1)
		if lacks(err) {
			return nil
		}
		if err != nil {
			return err
		}
		c.waits = append(c.waits, counted{name: name, unit: unit, task: task})
		return everywhere(&c.waits[len(c.waits)-1].all, name)
	}
	for _, f := range blocking {
		if f.name == expedited && set != "0" {
			continue
		}
		if err := waits(f.name, f.unit); err != nil {
			return refused(err)
		}
	}
	if len(c.waits) == 0 {
		return noCounts("the kernel has none of the functions that wait", "take a kernel from 6.1 to 7.3")
	}
	if err := waits(waitGP, "rcu-waits"); err != nil {
		return refused(err)
	}
	if err := everywhere(&c.syncs, syncCore); err != nil && !lacks(err) {
		return refused(err)
	}
	return nil
}

func noCounts(why, do string) error {
	return &impls.UnsupportedError{What: "counting what the kernel waits for", Why: why, Do: do}
}

// lacks reports whether an error of openProbe says that the kernel has no such function, or no
// place for a kprobe in it.
func lacks(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

// pmu returns the type of a PMU that has no fixed number.
func (s system) pmu(name string) (uint32, error) {
	n, err := readNumber(s.sys, "bus/event_source/devices", name, "type")
	return uint32(n), err
}

// readNumber returns the number that a file holds.
func readNumber(elem ...string) (uint64, error) {
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
}

// setting returns the text of a file of sysfs.
func (s system) setting(path string) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.sys, path))
	return strings.TrimSpace(string(text)), err
}

// Read returns the counts.
func (c *Counter) Read() (Counts, error) {
	counts := Counts{"gp-waits": 0, "inner-waits": 0}
	var known, knownOthers float64 // of the functions that wait in waitGP
	for _, f := range c.waits {
		task, others, err := f.read()
		if err != nil {
			return nil, fmt.Errorf("kernel: %w", err)
		}
		switch f.name {
		case waitGP: // the last
			task, others = max(0, task-known), max(0, others-knownOthers)
		case expedited, "synchronize_srcu":
		default:
			known, knownOthers = known+task, knownOthers+others
		}
		counts[f.unit] += task
		counts["gp-waits"] += task
		counts["inner-waits"] += others
	}
	if len(c.syncs) > 0 {
		all, err := sum(c.syncs...)
		if err != nil {
			return nil, fmt.Errorf("kernel: %w", err)
		}
		counts["core-syncs"] = all / float64(len(c.syncs))
	}
	return counts, nil
}

func sum(events ...perfEvent) (total float64, err error) {
	for _, e := range events {
		n, err := e.count()
		if err != nil {
			return 0, err
		}
		total += float64(n)
	}
	return total, nil
}

// Settle waits until ten readings, 10 ms apart, are the same. It gives up after 500: on a machine
// where others wait all the time, counts do not stop.
func (c *Counter) Settle() error {
	last, err := c.Read()
	for readings, same := 0, 0; err == nil && same < 10 && readings < 500; readings++ {
		c.pause()
		var now Counts
		now, err = c.Read()
		if same++; !maps.Equal(now, last) {
			same = 0
		}
		last = now
	}
	return err
}

// Close ends the counting.
func (c *Counter) Close() error {
	events := c.syncs
	for _, w := range c.waits {
		events = append(append(events, w.task), w.all...)
	}
	c.waits, c.syncs = nil, nil
	var errs []error
	for _, e := range events {
		errs = append(errs, e.close())
	}
	return errors.Join(errs...)
}
