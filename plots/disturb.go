package plots

import (
	"slices"

	"github.com/tpbench/tpbench/results"
	"gonum.org/v1/plot"
)

// disturb charts how long a reader's passes over the sites take while another core disables
// and enables every event: a line for each strategy, and one for the reader alone. The
// horizontal axis has the percentiles (p50 is the median pass, max the longest), which
// are units of the file. It needs ReaderLatency with such units.
func disturb(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.ReaderLatency).OneSetting("impl")
	percentiles := slices.DeleteFunc(all.Units(), func(u string) bool { return !results.IsTime(u) || u == "sec/op" })

	c := newChart(run, cat, all, "How long a reader's pass takes while another core switches every event", setting)
	c.note = "Logarithmic vertical axis. Grey: the reader alone. Lines join the medians of each percentile over the rounds."
	c.plot.X.Label.Text = "percentile of one pass over the sites"
	c.yLabel = "latency of one pass"
	var lines []series
	for _, impl := range cat.Sort(all) {
		s := series{look: c.looks[impl.Value]}
		if impl.Value == cat.Undisturbed {
			s.name = "undisturbed"
		}
		for i, u := range percentiles {
			s.add(float64(i), impl.Samples.Pairs(u))
		}
		if len(s.xs) > 0 {
			x, last := s.last()
			s.detail = results.HumanUnit(percentiles[int(x)]) + " " + results.Human(last.Center, "sec")
			lines = append(lines, s)
		}
	}
	c.addSeries(lines, "sec")
	var ticks plot.ConstantTicks
	for i, u := range percentiles {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: results.HumanUnit(u)})
	}
	c.plot.X.Tick.Marker = ticks
	c.plot.X.Min, c.plot.X.Max = -0.15, float64(len(percentiles))-0.85
	return c.orMissing(cat.Name(results.ReaderLatency) + " in p50-ns, max-ns or the like")
}
