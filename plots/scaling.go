package plots

import (
	"fmt"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// scaling charts the time to disable all events against their number with the kernel's
// grace period, a line for each strategy. The label gives the slope of the line, with
// its 95 % interval: 1 is the same cost for each event however many there are.
// It needs Disable with two numbers of events.
func scaling(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Disable, "gp="+cat.KernelGP).OneSetting("impl", "events")
	c := newChart(run, cat, all, "Time to disable all events, by their number", setting)
	c.note = "Both axes logarithmic. Slope: least squares through all samples, [95 % interval]; 1 = linear in the events."
	c.plot.X.Label.Text = "events"
	c.yLabel = "time to disable all"
	c.logX = "events"
	lines := slices.DeleteFunc(c.over("events", "sec/op", all, cat), func(s series) bool { return len(s.xs) < 2 })
	for i := range lines {
		lines[i].detail = "slope not determined"
		if fit, err := slope(&lines[i]); err == nil {
			lines[i].detail = fmt.Sprintf("slope %.2f [%.2f..%.2f]", fit.Center, fit.Lo, fit.Hi)
		}
	}
	c.addSeries(lines, "sec")
	return c.orMissing(cat.Name(results.Disable) + "/gp=" + cat.KernelGP + " with two or more values of events")
}

func slope(s *series) (stat.Estimate, error) {
	var x, y []float64
	for _, pt := range s.samples {
		x, y = append(x, pt.X), append(y, pt.Y)
	}
	return stat.Slope(x, y)
}
