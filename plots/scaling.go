package plots

import (
	"fmt"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// Scaling charts the time to disable all events against their number under one
// flavour, a line for each strategy. The label gives the slope of the line, with
// its 95 % interval: 1 is the same cost for each event however many there are.
// It needs DisableAll/gp=<gp> with two numbers of events.
func Scaling(run *results.Run, cat results.Catalog, gp string) (*Chart, error) {
	all, setting := run.Samples.Select("DisableAll", "gp="+gp).OneSetting("impl", "events")
	lines, err := over("events", "sec/op", all, cat)
	if err != nil {
		return nil, err
	}
	lines = slices.DeleteFunc(lines, func(s series) bool { return len(s.xs) < 2 })
	if len(lines) == 0 {
		return nil, missing(run, "DisableAll/gp="+gp+" with two or more values of events")
	}

	c := newChart(run, all, "Time to disable all events, by their number", setting)
	c.note = "Both axes logarithmic. Slope: least squares through all samples, [95 % interval]; 1 = linear in the events."
	c.plot.X.Label.Text = "events"
	c.yLabel = "time to disable all"
	var xs []float64
	for _, s := range lines {
		xs = append(xs, s.xs...)
	}
	if err := logAxis(&c.plot.X, "events", "", xs); err != nil {
		return nil, err
	}
	if err := logAxis(&c.plot.Y, "DisableAll", "sec", values(lines)); err != nil {
		return nil, err
	}
	for i := range lines {
		lines[i].detail = "slope not determined"
		if fit, err := slope(&lines[i]); err == nil {
			lines[i].detail = fmt.Sprintf("slope %.2f [%.2f..%.2f]", fit.Center, fit.Lo, fit.Hi)
		}
	}
	c.addSeries(lines)
	return c, nil
}

func slope(s *series) (stat.Estimate, error) {
	var x, y []float64
	for _, pt := range s.samples {
		x, y = append(x, pt.X), append(y, pt.Y)
	}
	return stat.Slope(x, y)
}
