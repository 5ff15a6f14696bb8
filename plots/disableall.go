package plots

import (
	"cmp"
	"slices"

	"github.com/tpbench/tpbench/results"
)

// DisableAll charts the time to disable all events for each strategy and
// grace-period flavour, at the largest number of events that most of them were
// run with; the label adds the grace periods waited. It needs DisableAll.
func DisableAll(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := run.Samples.Select("DisableAll").OneSetting("impl", "gp", "events")
	at, events := all.AtLargest("events")
	rows := at.ByName()
	rows = slices.DeleteFunc(rows, func(g results.Group) bool { return len(g.Samples.Values("sec/op")) == 0 })
	if len(rows) == 0 {
		return nil, missing(run, "DisableAll in ns/op")
	}
	slices.SortStableFunc(rows, func(a, b results.Group) int {
		x, y := &a.Samples[0], &b.Samples[0]
		return cmp.Or(cmp.Compare(x.Key("gp"), y.Key("gp")), cat.Index(x.Key("impl"))-cat.Index(y.Key("impl")))
	})

	c := newChart(run, at, "Time to disable "+count(events)+" events", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median and grace periods waited."
	c.plot.X.Label.Text = "time to disable all events"
	return c, c.addRows(rows, cat, byKey("gp"), waited)
}
