package plots

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// A series is one line of a chart: a summary and all samples at each x.
type series struct {
	look
	xs        []float64
	summaries []stat.Summary
	samples   plotter.XYs
}

// add adds the samples at x. Their summary is by alignment where there are several.
func (s *series) add(x float64, samples []stat.Pair) {
	if len(samples) == 0 {
		return
	}
	s.xs = append(s.xs, x)
	s.summaries = append(s.summaries, stat.Summarize(stat.Collapse(samples)))
	for _, p := range samples {
		s.samples = append(s.samples, plotter.XY{X: x, Y: p.Value})
	}
}

// last returns the last x, and the summary there.
func (s *series) last() (x float64, there stat.Summary) {
	n := len(s.xs) - 1
	return s.xs[n], s.summaries[n]
}

// over returns a series for each implementation, of a unit along a key that is a number.
func (c *Chart) over(key, unit string, ss results.Samples, cat results.Catalog) []series {
	var all []series
	for _, impl := range cat.Sort(ss) {
		s := series{look: c.looks[impl.Value]}
		for _, g := range impl.Samples.GroupBy(key) {
			x, err := strconv.ParseFloat(g.Value, 64)
			if err != nil {
				c.fail(fmt.Errorf("plots: %s: %s=%s is no number", g.Samples[0].Name, key, g.Value))
				continue
			}
			s.add(x, g.Samples.Pairs(unit))
		}
		if len(s.xs) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// xs returns every x of all series.
func xs(all []series) []float64 {
	var values []float64
	for _, s := range all {
		values = append(values, s.xs...)
	}
	return values
}

// addSeries draws the series as lines with a label at the last point of each, which has its
// name and detail. Busted ones are on top, and their marks are hollow. The vertical axis is
// logarithmic, and the horizontal one if the chart says so.
func (c *Chart) addSeries(all []series, unit string, detail func(series) string) {
	if len(all) == 0 {
		return
	}
	c.note += " Small dots: every sample."
	right := vg.Point{X: 8} // of the median, which would cover them
	c.add(grid{y: true}, c.labels)
	slices.SortStableFunc(all, func(a, b series) int { return a.layer() - b.layer() })
	var ys []float64
	for _, s := range all {
		var medians plotter.XYs
		for j, sum := range s.summaries {
			medians = append(medians, plotter.XY{X: s.xs[j], Y: sum.Center})
		}
		c.add(&plotter.Line{XYs: medians, LineStyle: s.line()})
		c.add(marks{s.samples, s.dot(), right}, marks{medians, s.point(), vg.Point{}})
		for j, sum := range s.summaries {
			if sum.HasInterval() {
				c.add(s.interval(plotter.XY{X: s.xs[j], Y: sum.Lo}, plotter.XY{X: s.xs[j], Y: sum.Hi}))
			}
		}
		c.label(medians[len(medians)-1], s.look, detail(s))
		for _, pt := range s.samples {
			ys = append(ys, pt.Y)
		}
	}
	if c.logX != "" {
		c.logAxis(&c.plot.X, c.logX, "", xs(all))
	}
	c.logAxis(&c.plot.Y, c.what, unit, ys)
}
