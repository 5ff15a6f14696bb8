package plots

import (
	"slices"

	"github.com/tpbench/tpbench/results"
	"gonum.org/v1/plot"
)

// Disturb charts what a reader feels while another core switches every event:
// percentiles of the latency of one pass over the sites, a line for each
// strategy under one flavour, and the undisturbed reader (impl=none). It needs
// Disturb with units such as p50-ns and max-ns.
func Disturb(run *results.Run, cat results.Catalog, gp string) (*Chart, error) {
	all, setting := run.Samples.Select("Disturb", "gp="+gp).OneSetting("impl")
	if len(all) == 0 {
		return nil, missing(run, "Disturb/gp="+gp)
	}
	units := slices.DeleteFunc(all.Units(), func(u string) bool { return !results.IsTime(u) || u == "sec/op" })
	if len(units) == 0 {
		return nil, missing(run, "Disturb/gp="+gp+" in p50-ns, max-ns or the like")
	}

	c := newChart(run, all, "What a reader feels while another core switches every event", setting)
	c.note = "Logarithmic vertical axis. Grey: the reader alone. Lines join the medians of each percentile over the rounds."
	c.plot.X.Label.Text = "percentile of one pass over the sites"
	c.yLabel = "latency of one pass"
	var lines []series
	for _, impl := range cat.Sort(all) {
		s := series{look: lookOf(cat, impl.Value)}
		if impl.Value == "none" {
			s.name = "undisturbed"
		}
		for i, u := range units {
			s.add(float64(i), impl.Samples.Pairs(u))
		}
		if n := len(s.xs); n > 0 {
			s.detail = results.HumanUnit(units[int(s.xs[n-1])]) + " " + results.Human(s.summaries[n-1].Center, "sec")
			lines = append(lines, s)
		}
	}
	if err := logAxis(&c.plot.Y, "Disturb", "sec", values(lines)); err != nil {
		return nil, err
	}
	c.addSeries(lines)
	var ticks plot.ConstantTicks
	for i, u := range units {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: results.HumanUnit(u)})
	}
	c.plot.X.Tick.Marker = ticks
	c.plot.X.Min, c.plot.X.Max = -0.15, float64(len(units))-0.85
	return c, nil
}
