package benches

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/kernel"
)

// If this fails, an operation on the kernel has another name than in the recorded history, so the two
// are not compared; or it has a name that differs from one kernel to another.
func TestKernelNames(t *testing.T) {
	var names []string
	for _, b := range Benchmarks() {
		for _, c := range b.Cases(Params{}) {
			if b.Apart == "" {
				continue
			}
			for phase, name := range c.Names {
				names = append(names, name)
				if b.Roles[phase] != "kernel" || !strings.HasPrefix(name, b.Apart) {
					t.Errorf("%s has the role %q and is apart by %q", name, b.Roles[phase], b.Apart)
				}
			}
		}
	}
	want := strings.Fields(`
		KernelDisableAll/system=all KernelEnableAll/system=all KernelDisableAll/system=syscalls KernelEnableAll/system=syscalls
		KernelDisableAll/system=sched KernelEnableAll/system=sched KernelDisableAll/system=kmem KernelEnableAll/system=kmem
		KernelDisableAll/system=timer KernelEnableAll/system=timer
		KernelToggle/event=task_rename KernelToggle/event=sched_switch KernelChurn
		KernelPerfClose/by=close/descriptors=20 KernelPerfClose/by=death/descriptors=20
		KernelGracePeriod/kind=normal KernelGracePeriod/kind=expedited KernelPatch/key=switched KernelPatch/key=held
		KernelFire/state=off KernelFire/state=on KernelFire/state=recorded
		KernelUprobeHit/insn=nop KernelUprobeHit/insn=nop5 KernelUprobeHit/insn=push
		KernelUprobeDetach/via=perf/uprobes=1 KernelUprobeDetach/via=perf/uprobes=10 KernelUprobeDetach/via=perf/uprobes=100 KernelUprobeDetach/via=perf/uprobes=1000
		KernelUprobeDetach/via=tracefs/uprobes=1 KernelUprobeDetach/via=tracefs/uprobes=10 KernelUprobeDetach/via=tracefs/uprobes=100 KernelUprobeDetach/via=tracefs/uprobes=1000
		KernelUprobeDetach/via=multi/uprobes=1 KernelUprobeDetach/via=multi/uprobes=10 KernelUprobeDetach/via=multi/uprobes=100 KernelUprobeDetach/via=multi/uprobes=1000`)
	if !slices.Equal(names, want) {
		t.Errorf("the kernel's operations are\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
}

// If this fails, an operation on the kernel stands beside nothing, or what a wait or a patch takes is not taken from the
// benchmark that measures it.
func TestKernelModels(t *testing.T) {
	roles := map[string]string{}
	for _, b := range Benchmarks() {
		for phase, role := range b.Roles {
			roles[b.Names[phase]] = role
		}
	}
	got := map[string]string{}
	for _, b := range Benchmarks() {
		for phase, model := range b.Models {
			got[b.Names[phase]] = roles[model]
		}
	}
	want := map[string]string{
		"KernelDisableAll": "disable", "KernelEnableAll": "enable", "KernelToggle": "transition", "KernelChurn": "transition",
		"KernelGracePeriod": "grace-period", "KernelPatch": "patching",
	}
	if !maps.Equal(got, want) {
		t.Errorf("the roles of the models are %v, want %v", got, want)
	}
}

// If this fails, a file has a unit that it does not explain, or a count of a kernel beside other programs is
// said to be the same in every sample.
func TestKernelUnits(t *testing.T) {
	for _, want := range []string{"gp-waits/op", "rcu-waits/op", "srcu-waits/op", "tasks-waits/op", "rude-waits/op", "tasks-trace-waits/op", "inner-waits/op", "events"} {
		if !slices.ContainsFunc(Units(), func(u harness.Unit) bool { return u.Name == want && !u.Exact }) {
			t.Errorf("%s is not listed, or is exact", want)
		}
	}
}

// If this fails, a benchmark that makes the whole machine slower runs although nobody has named it, or
// does not run although it is named.
func TestAsked(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                    "Churn",
		".":                   "Churn",
		".*":                  "Churn",
		"Churn":               "Churn",
		"^Churn$":             "Churn",
		"Toggle":              "",
		"Kernel":              "KernelToggle KernelChurn",
		"^KernelChurn$":       "KernelChurn",
		"Kernel(Toggle|Ch)":   "KernelToggle KernelChurn",
		"Churn|KernelChurn":   "Churn KernelChurn",
		"Churn|KernelToggle":  "Churn KernelToggle",
		"KernelToggle|Churn$": "Churn KernelToggle",
	} {
		var got []string
		for _, b := range []*Benchmark{&churnBench, &kernelToggleBench, &kernelChurnBench} {
			if b.Asked(b.Names[0], regexp.MustCompile(pattern)) {
				got = append(got, b.Names[0])
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("--bench %q asks for %v, want %q", pattern, got, want)
		}
	}
}

// If this fails, waits of the kernel are counted for another phase, or those of what is not timed, or not
// those that come after the end of the last operation.
func TestPerPhase(t *testing.T) {
	now := kernel.Counts{"gp-waits": 100, "inner-waits": 7}
	wait := func(gp, inner float64) { now["gp-waits"] += gp; now["inner-waits"] += inner }
	settled := 0
	run := func(n int, timer harness.Timer) {
		for range n {
			wait(1000, 1000)
			timer.Start(0)
			wait(2, 0)
			timer.Stop()
			wait(3000, 3000)
			timer.Start(1)
			wait(4, 1)
			timer.Stop()
		}
		wait(5000, 5000)
	}
	got := perPhase(func() kernel.Counts { return maps.Clone(now) }, func() { settled++; wait(0, 8) }, run, 4, 2)
	if want := "[[{gp-waits/op 2} {inner-waits/op 0}] [{gp-waits/op 4} {inner-waits/op 3}]]"; fmt.Sprint(got) != want || settled != 1 {
		t.Errorf("%v, settled %d times; want %s", got, settled, want)
	}
}
