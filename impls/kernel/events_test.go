package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// If this fails, a cost per event is divided by the number of other events, or events that the
// kernel lacks are measured as none.
func TestEvents(t *testing.T) {
	s := fake(t)
	write(t, "sched:sched_switch\nsched:sched_wakeup\nsched_ext:sched_switch\ntask:task_rename\n", s.tracefs, "available_events")
	for what, want := range map[string]int{
		"": 4, "sched": 2, "task": 1, "sched/sched_switch": 1, "sched_ext/sched_switch": 1,
		"sche": 0, "sched/": 0, "sched/sched": 0, "sched_switch": 0, "/sched_switch": 0, "task/sched_switch": 0,
	} {
		n, err := s.events(what)
		if n != want || errors.Is(err, impls.ErrUnsupported) != (want == 0) || (err != nil) != (want == 0) {
			t.Errorf("%q: %d, %v, expected %d", what, n, err, want)
		}
	}
	must(t, os.Remove(filepath.Join(s.tracefs, "available_events")))
	if n, err := s.events(""); n != 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the list: %d, %v", n, err)
	}
}

// If this fails, a measurement of some events switches others, or a name with dots switches those
// of everybody.
func TestEnable(t *testing.T) {
	s := fake(t)
	i := opened(t, s)
	files := []string{"events/enable", "events/sched/enable", "events/sched/sched_switch/enable", "tracing_on"}
	for _, f := range files {
		write(t, "0", i.dir, f)
	}
	for what, want := range map[string]string{"": files[0], "sched": files[1], "sched/sched_switch": files[2]} {
		for _, value := range []string{"1", "0"} {
			must(t, i.Enable(what, value == "1"))
			for _, f := range files {
				text, err := os.ReadFile(filepath.Join(i.dir, f))
				must(t, err)
				if expected := map[bool]string{true: value, false: "0"}[f == want]; string(text) != expected {
					t.Errorf("Enable(%q) of %s: %s is %s", what, value, f, text)
				}
			}
		}
	}
	for _, what := range []string{"..", ".", "/", "/sched", "sched/", "../../events", "../../../events/sched", "sched/../sched", "a/b/c"} {
		if err := i.Enable(what, true); err == nil || !strings.Contains(err.Error(), "names no events") {
			t.Errorf("Enable(%q): %v", what, err)
		}
	}
	if err := i.Enable("none", true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Enable of what is not there: %v", err)
	}
	for _, on := range []bool{true, false} {
		must(t, i.Record(on))
		if text, err := os.ReadFile(filepath.Join(i.dir, "tracing_on")); err != nil || string(text) != map[bool]string{true: "1", false: "0"}[on] {
			t.Errorf("Record(%v): tracing_on is %s, %v", on, text, err)
		}
	}
	must(t, i.Close())
	if err := i.Record(true); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Record after Close: %v", err)
	}
}

// If this fails, a measurement runs while somebody else traces, and measures other transitions; or
// none runs where nobody does.
func TestBusy(t *testing.T) {
	top := func(name, text string) func(*testing.T, system) {
		return func(t *testing.T, s system) { write(t, text, s.tracefs, name) }
	}
	of := func(instance, name, text string) func(*testing.T, system) {
		return top(filepath.Join("instances", instance, name), text)
	}
	perf := func(pid, file string) func(*testing.T, system) {
		return func(t *testing.T, s system) {
			must(t, os.MkdirAll(filepath.Join(s.proc, pid, "fd"), 0o777))
			must(t, os.Symlink("/dev/null", filepath.Join(s.proc, pid, "fd", "0")))
			must(t, os.Symlink(file, filepath.Join(s.proc, pid, "fd", "3")))
			write(t, "perf\n", s.proc, pid, "comm")
		}
	}
	for _, tc := range []struct {
		why  string
		make func(*testing.T, system)
		want string // part of; "" is nobody
	}{
		{"nobody", func(*testing.T, system) {}, ""},
		{"no tracer, no event", top("current_tracer", "nop\n"), ""},
		{"a tracer", top("current_tracer", "function\n"), "the tracer function is on"},
		{"an event", top("set_event", "sched:sched_switch\n"), "sched:sched_switch;"},
		{"three events", top("set_event", "a:b\nc:d\ne:f\n"), "a:b and 2 more"},
		{"an instance without events", of("foreign", "set_event", "\n"), ""},
		{"an instance's event", of("foreign", "set_event", "a:b\n"), "instances/foreign: a:b"},
		{"an instance's tracer", of("foreign", "current_tracer", "blk\n"), "the tracer blk"},
		{"another tpbench", of("tpbench-7-70", "set_event", "a:b\n"), "tpbench-7-70: a:b"},
		{"this tpbench, in another process", of("tpbench-100-5001", "set_event", "a:b\n"), "tpbench-100-5001"},
		{"this process", of("tpbench-100-5000", "set_event", "a:b\n"), ""},
		{"this process's uprobes", of("tpbench-100-5000-uprobes", "set_event", "a:b\n"), ""},
		{"a kprobe", top("kprobe_events", "p:kprobes/x do_sync_core\n"), "kprobe_events has p:kprobes/x do_sync_core"},
		{"a uprobe", top("uprobe_events", "p:tpbench_100_5000/u0 /x:0x1\nr4:mine/y /bin/x:0x12\n"), "uprobe_events has r4:mine/y"},
		{"another tpbench's uprobe", top("uprobe_events", "p:tpbench_7_70/u0 /x:0x1\n"), "uprobe_events has p:tpbench_7_70/u0"},
		{"a uprobe of this process", top("uprobe_events", "p:tpbench_100_5000/u0 /x:0x1\n"), ""},
		{"perf", perf("7", "anon_inode:[perf_event]"), "process 7 (perf) has perf events open"},
		{"another anonymous file", perf("7", "anon_inode:[eventpoll]"), ""},
		{"perf in this process", perf("100", "anon_inode:[perf_event]"), ""},
		{"perf in no process", perf("7x", "anon_inode:[perf_event]"), ""},
	} {
		s := fake(t)
		tc.make(t, s)
		err := s.busy()
		if tc.want == "" && err != nil || tc.want != "" && (!errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, expected ...%s...", tc.why, err, tc.want)
		}
	}
	s := fake(t)
	must(t, os.RemoveAll(s.proc))
	if err := s.busy(); !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), "mount -t proc") {
		t.Errorf("without proc: %v", err)
	}
	s = fake(t)
	must(t, os.Mkdir(filepath.Join(s.tracefs, "set_event"), 0o777))
	if err := s.busy(); err == nil {
		t.Error("what cannot be read is taken for nobody")
	}
}

// If this fails, uprobes of a killed run stay, so that every run after it finds somebody who
// traces; or those of a living one, or of somebody else, are removed.
func TestSweepGroups(t *testing.T) {
	const lines = "p:tpbench_7_70/u0 /x:0x1\np:tpbench_8_80/u0 /x:0x1\np:tpbench_8_80/u1 /x:0x2\n" +
		"p:mine/u0 /x:0x3\np:tpbench_100_5000/u0 /x:0x4\np:tpbench_9_90/a /x:0x5\np:my_tpbench_8_80/u0 /x:0x6\n"
	s := fake(t)
	s.lives(t, "7", "7", "S", "70")
	s.lives(t, "8", "8", "S", "81")
	write(t, lines, s.tracefs, "uprobe_events")
	var asked []string
	s.appendTo = func(_, lines string) error { asked = append(asked, lines); return nil }
	removed, err := s.sweep()
	if want := []string{"the uprobes tpbench_8_80", "the uprobes tpbench_9_90"}; !slices.Equal(removed, want) || err != nil {
		t.Errorf("removed %q, %v, expected %q", removed, err, want)
	}
	if want := []string{"-:tpbench_8_80/u0\n-:tpbench_8_80/u1\n-:tpbench_9_90/a\n"}; !slices.Equal(asked, want) {
		t.Errorf("the kernel was asked for %q, expected %q", asked, want)
	}

	// Another process removes the first at the same time; then a thread of the dead owner ends.
	pauses := 0
	s.pause = func() { pauses++ }
	asked = nil
	s.appendTo = func(path, lines string) error {
		switch asked = append(asked, lines); len(asked) {
		case 1:
			write(t, "p:tpbench_9_90/a /x:0x5\n", path)
			return os.ErrNotExist
		case 2:
			return syscall.EBUSY
		}
		return nil
	}
	if removed, err := s.sweep(); len(removed) != 2 || err != nil || pauses != 2 || len(asked) != 3 || asked[2] != "-:tpbench_9_90/a\n" {
		t.Errorf("removed %q, %v, after %d pauses; the kernel was asked for %q", removed, err, pauses, asked)
	}

	// What stays is reported, and does not take forever.
	write(t, lines, s.tracefs, "uprobe_events")
	for _, why := range []error{syscall.EBUSY, errors.New("broken")} {
		s.appendTo = func(string, string) error { return why }
		if removed, err := s.sweep(); removed != nil || !errors.Is(err, why) || !strings.Contains(err.Error(), "tpbench_8_80") {
			t.Errorf("%v: removed %q, %v", why, removed, err)
		}
	}
	write(t, "nonsense", s.proc, "8", "stat")
	s.appendTo = func(_, lines string) error { asked = []string{lines}; return nil }
	if removed, err := s.sweep(); !slices.Equal(removed, []string{"the uprobes tpbench_9_90"}) || err == nil || !strings.Contains(err.Error(), "tpbench_8_80 stay, because it is unknown") || asked[0] != "-:tpbench_9_90/a\n" {
		t.Errorf("an owner of which nothing is known: removed %q, %v, asked for %q", removed, err, asked)
	}
}
