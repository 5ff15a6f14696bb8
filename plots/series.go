package plots

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A series is one line of a chart: a summary and all samples at each x.
type series struct {
	look
	xs        []float64
	summaries []stat.Summary
	samples   plotter.XYs
	detail    string // below the name in the label
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

// medians returns the points of the line.
func (s *series) medians() plotter.XYs {
	pts := make(plotter.XYs, len(s.xs))
	for i, x := range s.xs {
		pts[i] = plotter.XY{X: x, Y: s.summaries[i].Center}
	}
	return pts
}

// values returns every y of all series, to range over.
func values(all []series) []float64 {
	var vs []float64
	for _, s := range all {
		for _, pt := range s.samples {
			vs = append(vs, pt.Y)
		}
	}
	return vs
}

// xs returns every x of all series.
func xs(all []series) []float64 {
	var values []float64
	for _, s := range all {
		values = append(values, s.xs...)
	}
	return values
}

// addSeries draws the series as lines with a label at the last point of each, busted ones
// on top, whose marks are hollow. The vertical axis is logarithmic, and the horizontal one
// if the chart says so.
func (c *Chart) addSeries(all []series, unit string) {
	if len(all) == 0 {
		return
	}
	if c.logX != "" {
		c.logAxis(&c.plot.X, c.logX, "", xs(all))
	}
	c.logAxis(&c.plot.Y, c.what, unit, values(all))
	c.note += " Small dots: every sample."
	right := vg.Point{X: 8} // of the median, which would cover them
	c.add(grid{y: true}, c.labels)
	slices.SortStableFunc(all, func(a, b series) int { return a.layer() - b.layer() })
	for _, s := range all {
		pts := s.medians()
		c.add(&plotter.Line{XYs: pts, LineStyle: s.line()}, marks{s.samples, s.dot(), right}, marks{pts, s.point(), vg.Point{}})
		for j, sum := range s.summaries {
			if sum.HasInterval() {
				c.add(bar{plotter.XY{X: s.xs[j], Y: sum.Lo}, plotter.XY{X: s.xs[j], Y: sum.Hi}, draw.LineStyle{Color: s.color, Width: 1.25}})
			}
		}
		last := pts[len(pts)-1]
		c.label(last, s.look, s.detail)
	}
}
