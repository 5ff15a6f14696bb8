package plots

import (
	"cmp"
	"slices"

	"github.com/tpbench/tpbench/results"
	"gonum.org/v1/plot"
)

// DispatchProbes charts the time of one pass over a site against the number of
// probes on it, a line for each implementation, floors included. It needs
// Dispatch.
func DispatchProbes(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := run.Samples.Select("Dispatch").OneSetting("impl", "probes")
	lines, err := over("probes", "sec/op", all, cat)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, missing(run, "Dispatch in ns/op")
	}

	c := newChart(run, all, "Time to fire a site, by the probes on it", setting)
	c.note = "Logarithmic vertical axis, so the loop around the site is not subtracted: \"nothing\" is that loop alone."
	c.plot.X.Label.Text = "probes on the site (0 = disabled)"
	c.yLabel = "one pass, loop included"
	var ticks plot.ConstantTicks
	far := 0.0
	for i := range lines {
		s := &lines[i]
		last := len(s.xs) - 1
		s.detail = results.Human(s.summaries[last].Center, "sec/op") + " at " + plural(int(s.xs[last]), "probe")
		for _, x := range s.xs {
			ticks = append(ticks, plot.Tick{Value: x, Label: tickLabel(x, "")})
			far = max(far, x)
		}
	}
	if err := logAxis(&c.plot.Y, "Dispatch", "sec", values(lines)); err != nil {
		return nil, err
	}
	c.addSeries(lines)
	slices.SortFunc(ticks, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	c.plot.X.Tick.Marker = slices.Compact(ticks)
	c.plot.X.Min, c.plot.X.Max = -0.25, far+0.25
	return c, nil
}
