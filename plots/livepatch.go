package plots

import (
	"cmp"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// Livepatch charts what the transitions of a function take: patching it, unpatching it and
// turning back half-way, where it is the only patch and where it is on another one, at the
// largest number of sleeping tasks. The label adds the waits at the kernel's three places,
// and ftrace's own. It needs LivepatchTransition.
func Livepatch(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := run.Samples.Select("LivepatchTransition").OneSetting("impl", "change", "stack", "tasks")
	at, tasks := all.AtLargest("tasks")
	rows := slices.DeleteFunc(at.ByName(), func(g results.Group) bool { return len(g.Samples.Values("sec/op")) == 0 })
	if len(rows) == 0 {
		return nil, missing(run, "LivepatchTransition in ns/op")
	}
	order := []string{"patch", "unpatch", "reverse"}
	slices.SortStableFunc(rows, func(a, b results.Group) int {
		x, y := &a.Samples[0], &b.Samples[0]
		return cmp.Or(
			slices.Index(order, x.Key("change"))-slices.Index(order, y.Key("change")),
			cmp.Compare(x.Key("stack"), y.Key("stack")),
			cat.Index(x.Key("impl"))-cat.Index(y.Key("impl")))
	})
	c := newChart(run, at, "What a live patch's transition takes, with "+count(tasks)+" sleeping tasks", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median, waits at the kernel's three places, and ftrace's own."
	c.plot.X.Label.Text = "time until the transition is complete"
	what := func(s *results.Sample) string {
		if s.Key("stack") == "0" {
			return s.Key("change") + ", alone"
		}
		return s.Key("change") + ", on another"
	}
	return c, c.addRows(rows, cat, what, func(ss results.Samples) string {
		detail := waited(ss)
		if own := stat.Summarize(ss.Values("ftrace-waits/op")).Center; own > 0 { // NaN of none
			detail += " + " + results.Human(own, "") + " by ftrace"
		}
		return detail
	})
}
