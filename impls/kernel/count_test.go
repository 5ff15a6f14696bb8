package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// A probe is a perfEvent of a fake.
type probe struct {
	name      string
	task, cpu int
	n         uint64
	broken    error
	closed    bool
}

func (p *probe) count() (uint64, error) { return p.n, p.broken }

func (p *probe) close() error {
	if p.closed {
		return os.ErrClosed // a real one may be another file by now
	}
	p.closed = true
	return nil
}

// probes returns a fake with two CPUs, 0 and 2, whose probes are in the list. Probes of the
// functions in refused cannot be opened.
func probes(t *testing.T, refused map[string]error) (system, *[]*probe) {
	t.Helper()
	s := expedites(t, "0")
	write(t, "0,2\n", s.sys, "devices/system/cpu/online")
	write(t, "8\n", s.sys, "bus/event_source/devices/kprobe/type")
	list := &[]*probe{}
	s.openProbe = func(pmu uint32, name string, offset uint64, task, cpu int) (perfEvent, error) {
		if pmu != 8 || offset != 0 || (task == -1) == (cpu == -1) {
			t.Errorf("opened %s+%d of PMU %d for task %d on CPU %d", name, offset, pmu, task, cpu)
		}
		for _, at := range []string{name, fmt.Sprint(name, cpu)} {
			if refused[at] != nil {
				return nil, fmt.Errorf("perf_event_open: %w", refused[at])
			}
		}
		p := &probe{name: name, task: task, cpu: cpu}
		*list = append(*list, p)
		return p, nil
	}
	return s, list
}

// If this fails, a wait has the wrong unit, or is taken for another task's, or for one per CPU.
func TestCounts(t *testing.T) {
	s, list := probes(t, nil)
	c, err := s.newCounter()
	must(t, err)
	before, err := c.Read()
	must(t, err)
	task := map[string]uint64{"synchronize_rcu": 1, expedited: 10, "synchronize_srcu": 100, "synchronize_rcu_tasks": 1000, "synchronize_rcu_tasks_rude": 10000, "synchronize_rcu_tasks_trace": 100000}
	task[waitGP] = 1 + 1000 + 10000 + 100000 + 5 // 5 in a copy of synchronize_rcu
	for _, p := range *list {
		switch {
		case p.name == syncCore:
			p.n = 7
		case p.task == 0:
			p.n = task[p.name]
		case p.cpu == 0: // all tasks
			p.n = task[p.name] + 1
		case p.name == waitGP:
			p.n = 4*(1+2) + 4 - 1 // 4 in such copies
		default:
			p.n = 2
		}
	}
	after, err := c.Read()
	must(t, err)
	want := Counts{
		"gp-waits": 111116, "rcu-waits": 16, "srcu-waits": 100, "tasks-waits": 1000, "rude-waits": 10000, "tasks-trace-waits": 100000,
		"inner-waits": 6*3 + 4, "core-syncs": 7,
	}
	if !maps.Equal(after, want) || !maps.Equal(after.Since(before), want) {
		t.Errorf("%v, %v since the first, expected %v", after, after.Since(before), want)
	}
	for unit, n := range after.Since(after) {
		if n != 0 {
			t.Errorf("nothing happened, but %s is %v", unit, n)
		}
	}
	for _, p := range *list {
		if p.name == waitGP {
			p.n = 0 // newer kernels
		}
	}
	want["gp-waits"], want["rcu-waits"], want["inner-waits"] = 111111, 11, 6*3
	if counts, err := c.Read(); err != nil || !maps.Equal(counts, want) {
		t.Errorf("without %s: %v, %v, expected %v", waitGP, counts, err, want)
	}
	if len(*list) != 7*3+2 {
		t.Errorf("%d probes", len(*list))
	}
	must(t, c.Close())
	must(t, c.Close())
	for _, p := range *list {
		if !p.closed {
			t.Errorf("%+v stays open", p)
		}
	}

	c, err = s.newCounter()
	must(t, err)
	for _, p := range (*list)[23:] {
		p.broken = syscall.EIO
		if counts, err := c.Read(); !errors.Is(err, syscall.EIO) {
			t.Errorf("a reading without %s of task %d: %v, %v", p.name, p.task, counts, err)
		}
		if err := c.Settle(); !errors.Is(err, syscall.EIO) {
			t.Errorf("Settle without %s of task %d: %v", p.name, p.task, err)
		}
		p.broken = nil
	}
}

// If this fails, a kernel that lacks a function has no counts, or a unit of zeros that it never
// counts; or a grace period that is expedited counts twice; or a refusal leaves descriptors.
func TestNewCounter(t *testing.T) {
	none := map[string]error{}
	for _, f := range blocking {
		none[f.name] = fs.ErrNotExist
	}
	for _, tc := range []struct {
		why     string
		set     string
		refused map[string]error
		lacking string // the units that are missing
		opened  int
		err     string // part of
	}{
		{"all", "0", nil, "", 23, ""},
		{"expedited", "1", nil, "", 20, ""},
		{"no such function", "0", map[string]error{"synchronize_rcu_tasks_trace": fs.ErrNotExist}, "tasks-trace-waits", 20, ""},
		{"no place for a kprobe", "0", map[string]error{"synchronize_rcu_tasks": syscall.EINVAL, "synchronize_srcu": syscall.EADDRNOTAVAIL}, "tasks-waits srcu-waits", 17, ""},
		{"no do_sync_core", "0", map[string]error{syncCore: fs.ErrNotExist}, "core-syncs", 21, ""},
		{"not allowed", "0", map[string]error{"synchronize_rcu": fs.ErrPermission}, "", 0, "run as root"},
		{"not allowed on all CPUs", "0", map[string]error{"synchronize_srcu2": syscall.EACCES}, "", 8, "run as root"},
		{"not allowed do_sync_core", "0", map[string]error{syncCore + "2": syscall.EMFILE}, "", 22, "too many"},
		{"a CPU without the function", "0", map[string]error{"synchronize_rcu2": fs.ErrNotExist}, "", 2, "run as root"},
		{"no function at all", "0", none, "", 0, "none of the functions"},
	} {
		s, list := probes(t, tc.refused)
		write(t, tc.set, s.sys, rcuExpedited)
		c, err := s.newCounter()
		if len(*list) != tc.opened {
			t.Errorf("%s: %d probes, expected %d", tc.why, len(*list), tc.opened)
		}
		if tc.err != "" {
			if c != nil || !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %v, expected ...%s...", tc.why, err, tc.err)
			}
			for _, p := range *list {
				if !p.closed {
					t.Errorf("%s: %+v stays open", tc.why, p)
				}
			}
			continue
		}
		must(t, err)
		counts, err := c.Read()
		must(t, err)
		for _, unit := range []string{"gp-waits", "rcu-waits", "srcu-waits", "tasks-waits", "rude-waits", "tasks-trace-waits", "inner-waits", "core-syncs"} {
			if _, has := counts[unit]; has == slices.Contains(strings.Fields(tc.lacking), unit) {
				t.Errorf("%s: has %s: %v", tc.why, unit, has)
			}
		}
	}
	for _, path := range []string{"bus/event_source/devices/kprobe/type", "devices/system/cpu/online", rcuExpedited} {
		s, list := probes(t, nil)
		must(t, os.Remove(filepath.Join(s.sys, path)))
		if c, err := s.newCounter(); c != nil || !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), path) || len(*list) > 0 {
			t.Errorf("without %s: %v", path, err)
		}
	}
}

// If this fails, what an operation makes others do after it counts for the next one, or not at
// all; or a machine that is never quiet hangs.
func TestSettle(t *testing.T) {
	s, list := probes(t, nil)
	c, err := s.newCounter()
	must(t, err)
	pauses := 0
	c.pause = func() {
		if pauses++; pauses == 5 || pauses == 14 {
			(*list)[1].n++
		}
	}
	must(t, c.Settle())
	if pauses != 14+10 {
		t.Errorf("settled after %d readings, expected 10 after the last change", pauses)
	}
	pauses = 0
	c.pause = func() { pauses++; (*list)[1].n++ }
	must(t, c.Settle())
	if pauses != 500 {
		t.Errorf("gave up after %d readings", pauses)
	}
}

// If this fails, on a real kernel with kprobes, a wait for a grace period does not count, or counts
// for another thread.
func TestCounter(t *testing.T) {
	requireKernel(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c, err := NewCounter()
	if errors.Is(err, impls.ErrUnsupported) && !strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "kprobes") {
		t.Skip(err)
	}
	must(t, err)
	defer c.Close()
	must(t, c.Settle())
	before, err := c.Read()
	must(t, err)
	for range 3 {
		must(t, GracePeriod())
	}
	after, err := c.Read()
	must(t, err)
	other := make(chan error)
	go func() { other <- GracePeriod() }() // on another thread: this one is locked
	must(t, <-other)
	last, err := c.Read()
	must(t, err)
	if n := after.Since(before); n["gp-waits"] != 3 || n["rcu-waits"] != 3 {
		t.Errorf("3 grace periods are counted as %v", n)
	}
	if n := last.Since(after); n["gp-waits"] != 0 || n["inner-waits"] < 1 {
		t.Errorf("another thread's grace period is counted as %v", n)
	}

	i, err := Open()
	must(t, err)
	defer func() { must(t, i.Close()) }()
	must(t, i.Enable("task/task_rename", true))
	must(t, c.Settle())
	on, err := c.Read()
	must(t, err)
	if n := on.Since(last); n["core-syncs"] < 3 {
		t.Errorf("switching an event patches code, which is counted as %v", n)
	}
}
