package plots

import (
	"cmp"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// livepatch charts what the transitions of a function take: patching it, unpatching it and
// reversing that before it is complete, where it is the only patch and where it is on another
// one, at the largest number of sleeping tasks. The label adds the waits at the kernel's three
// places, and ftrace's own. It needs FunctionTransition.
func livepatch(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.FunctionTransition).OneSetting("impl", "change", "stack", "tasks")
	at, tasks := all.AtLargest("tasks")
	c := newChart(run, cat, at, "What a live patch's transition takes, with "+count(tasks)+" sleeping tasks", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median, waits at the kernel's three places, and ftrace's own."
	c.plot.X.Label.Text = "time until the transition is complete"
	change := inOrder("change", "patch", "unpatch", "reverse")
	rows := rowsOf(at, cat, func(a, b *results.Sample) int {
		return cmp.Or(change(a, b), cmp.Compare(a.Key("stack"), b.Key("stack")))
	})
	what := func(s *results.Sample) string {
		if s.Key("stack") == "0" {
			return s.Key("change") + ", alone"
		}
		return s.Key("change") + ", on another"
	}
	c.addRows(rows, what, func(ss results.Samples) string {
		detail := waited(ss)
		if ftrace := stat.Summarize(ss.Values("ftrace-waits/op")).Center; ftrace > 0 { // NaN of none
			detail += " + " + results.Human(ftrace, "") + " by ftrace"
		}
		return detail
	})
	return c.orMissing(cat.Name(results.FunctionTransition) + " in ns/op")
}
