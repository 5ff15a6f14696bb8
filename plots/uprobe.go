package plots

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tpbench/tpbench/results"
	"gonum.org/v1/plot"
)

// Uprobe charts how many hits a second all CPUs make together that hit one uprobe, against
// their number, a line for each variant. It needs UprobeHit/keys=same.
func Uprobe(run *results.Run, cat results.Catalog) (*Chart, error) {
	const unit = "Mhits/s"
	all, setting := run.Samples.Select("UprobeHit", "keys=same").OneSetting("impl", "cpus")
	lines, err := over("cpus", unit, all, cat)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, missing(run, "UprobeHit/keys=same in "+unit)
	}

	c := newChart(run, all, "Hits per second on one uprobe, by the CPUs that hit it at once", setting)
	c.note = "Both axes logarithmic. The breakpoint's trap is not included."
	c.plot.X.Label.Text = "CPUs"
	c.yLabel = "million hits per second, of all CPUs together"
	var ticks plot.ConstantTicks
	var xs []float64
	for i := range lines {
		s := &lines[i]
		first, last := s.summaries[0].Center, s.summaries[len(s.xs)-1].Center
		s.detail = results.Human(last, unit) + " M/s at " + plural(int(s.xs[len(s.xs)-1]), "CPU")
		if s.xs[0] == 1 && len(s.xs) > 1 {
			s.detail += fmt.Sprintf(", %.2f times 1 CPU's", last/first)
		}
		for _, x := range s.xs {
			xs = append(xs, x)
			ticks = append(ticks, plot.Tick{Value: x, Label: tickLabel(x, "")})
		}
	}
	if err := logAxis(&c.plot.X, "cpus", "", xs); err != nil {
		return nil, err
	}
	if err := logAxis(&c.plot.Y, "UprobeHit", "", values(lines)); err != nil {
		return nil, err
	}
	c.addSeries(lines)
	slices.SortFunc(ticks, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	c.plot.X.Tick.Marker = slices.Compact(ticks)
	return c, nil
}
