package plots

import (
	"cmp"

	"github.com/tpbench/tpbench/results"
)

// disableAll charts the time to disable all events for each strategy and
// grace-period flavour, at the largest number of events that most of them were
// run with; the label adds the grace periods waited. It needs Disable.
func disableAll(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Disable).OneSetting("impl", "gp", "events")
	at, events := all.AtLargest("events")
	c := newChart(run, cat, at, "Time to disable "+count(events)+" events", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median and grace periods waited."
	c.plot.X.Label.Text = "time to disable all events"
	c.addRows(rowsOf(at, cat, func(a, b *results.Sample) int { return cmp.Compare(a.Key("gp"), b.Key("gp")) }), byKey("gp"), waited)
	return c.orMissing(cat.Name(results.Disable) + " in ns/op")
}
