package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"github.com/tpbench/tpbench/results"
)

// The tests of this file look at what a chart hands to the plotter, where the golden
// images show no difference: there an interval happens to end at the largest sample.
//
// A benchmark has the samples 1*base, 2*base ... 12*base, one in a round, in no order. By
// the tables of the sign test, the 95 % interval of the median of 12 samples is from the
// 3rd to the 10th, and 5 samples have none.
const (
	many, few = 12, 5

	manyMedian, manyLo, manyHi = 6.5, 3, 10
	fewMedian                  = 3
)

// A made benchmark of a made run.
type made struct {
	name string
	unit string
	base float64 // in the unit
	n    int
	plus float64 // on each sample
}

// run writes the benchmarks as a file, round by round, and reads it.
func (ms mades) run(t *testing.T) *results.Run {
	t.Helper()
	var b strings.Builder
	for round := range many {
		fmt.Fprintf(&b, "# block %d round %d\n", round, round)
		for _, m := range ms {
			if round < m.n {
				k := (round*7+3)%m.n + 1 // each of 1 to n once
				fmt.Fprintf(&b, "Benchmark%s 1 %g %s\n", m.name, float64(k)*m.base+m.plus, m.unit)
			}
		}
	}
	return parse(t, b.String())
}

type mades []made

// near compares what was computed in another order, or another unit.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

func nearXY(a, b plotter.XY) bool { return near(a.X, b.X) && near(a.Y, b.Y) }

// of returns the plotters of one type, in the order in which they are drawn.
func of[T plot.Plotter](c *Chart) []T {
	var all []T
	for _, p := range c.drawn {
		if p, ok := p.(T); ok {
			all = append(all, p)
		}
	}
	return all
}

// vetAxis: an axis is logarithmic, and nothing of the data lies outside.
func vetAxis(t *testing.T, what string, a plot.Axis, log bool, lo, hi float64) {
	t.Helper()
	if _, isLog := a.Scale.(plot.LogScale); isLog != log {
		t.Errorf("%s: the scale is %T", what, a.Scale)
	}
	if a.Min > lo || a.Max < hi || log && (a.Min < lo/2 || a.Max > hi*2) {
		t.Errorf("%s: from %v to %v, the data are from %v to %v", what, a.Min, a.Max, lo, hi)
	}
}

// If this fails, a chart of lines draws another median, interval or sample than the file has,
// in another unit or colour, or labels another point.
func TestSeriesData(t *testing.T) {
	for _, tc := range []struct {
		chart  string
		name   string // %s is the implementation, %v the x
		unit   string
		xs     []float64
		scale  float64 // from the unit to the axis
		logX   bool
		label  string // of the last point of a line whose median there is 65 units
		suffix string // of the label's name
	}{
		{"dispatch", "Dispatch/impl=%s/probes=%v", "ns/op", []float64{0, 1, 8}, 1e-9, false, "65.0 ns at 8 probes", ""},
		{"scaling", "DisableAll/impl=%s/gp=kernelgp/events=%v", "ns/op", []float64{10, 100, 1000}, 1e-9, true, "slope 0.50 [", ""},
		{"uprobe", "UprobeHit/impl=%s/keys=same/cpus=%v", "Mhits/s", []float64{1, 2, 4}, 1, true, "65 M/s at 4 CPUs, 10.00 times 1 CPU's", ""},
		{"poke", "Poke/impl=%s/sites=%v/beside=sites", "ns/site", []float64{1, 10, 100}, 1e-9, true, "65.0 ns a site", ", executed"},
	} {
		t.Run(tc.chart, func(t *testing.T) {
			// In the order in which they are drawn: the unsafe one is on top.
			lines := []struct {
				impl, label string
				n           int
			}{{"rcu-cond-sync", "rcu-cond-sync", many}, {"static-call", "static-call", few}, {"floor", "floor", many}, {"direct-static-call", "direct-static-call (unsafe)", many}}
			var ms mades
			base := func(line, x int) float64 { // of no two the same; 10 for the first at the last x
				return []float64{10, 7, 3, 1.5}[line] * []float64{0.1, 0.5, 1}[x]
			}
			for i, l := range lines {
				for j, x := range tc.xs {
					ms = append(ms, made{fmt.Sprintf(tc.name, l.impl, x), tc.unit, base(i, j), l.n, 0})
				}
			}
			ms = append(ms, made{fmt.Sprintf(tc.name, lines[0].impl, 7), "other/op", 1, many, 0}) // no point of this chart
			c, err := charts[tc.chart](ms.run(t))
			if err != nil {
				t.Fatal(err)
			}
			drawn, points, bars := of[*plotter.Line](c), of[marks](c), of[bar](c)
			if len(drawn) != len(lines) || len(points) != 2*len(lines) || len(c.labels.all) != len(lines) {
				t.Fatalf("%d lines, %d sets of marks and %d labels for %d implementations", len(drawn), len(points), len(c.labels.all), len(lines))
			}
			for i, l := range lines {
				colour, median := c.looks[l.impl].color, float64(manyMedian)
				if l.n == few {
					median = fewMedian
				}
				var medians plotter.XYs
				samples := map[plotter.XY]bool{}
				for j, x := range tc.xs {
					b := base(i, j) * tc.scale
					medians = append(medians, plotter.XY{X: x, Y: median * b})
					for k := 1; k <= l.n; k++ {
						samples[plotter.XY{X: x, Y: float64(k) * b}] = true
					}
					if l.n == many {
						bars = vetInterval(t, l.impl, bars, plotter.XY{X: x, Y: manyLo * b}, plotter.XY{X: x, Y: manyHi * b}, colour)
					}
				}
				if !slices.EqualFunc(drawn[i].XYs, medians, nearXY) || drawn[i].Color != colour {
					t.Errorf("%s: line %v in %v, expected %v in %v", l.impl, drawn[i].XYs, drawn[i].Color, medians, colour)
				}
				vetMarks(t, l.impl, points[2*i], points[2*i+1], samples, medians, colour)
				if _, hollow := points[2*i+1].Shape.(crossed); hollow != strings.Contains(l.label, "(unsafe)") {
					t.Errorf("%s: drawn as %T", l.impl, points[2*i+1].Shape)
				}
				got, last := c.labels.all[i], medians[len(medians)-1]
				if got.name != l.label+tc.suffix || got.color != colour || !nearXY(plotter.XY{X: got.x, Y: got.y}, last) {
					t.Errorf("%s: label %+v, expected %s%s at %v", l.impl, got, l.label, tc.suffix, last)
				}
				if i == 0 && !strings.HasPrefix(got.detail, tc.label) {
					t.Errorf("%s: the label says %q, expected %q", l.impl, got.detail, tc.label)
				}
			}
			if len(bars) != 0 {
				t.Errorf("intervals of nothing, or of too few samples: %v", bars)
			}
			vetAxis(t, "x", c.plot.X, tc.logX, tc.xs[0], tc.xs[len(tc.xs)-1])
			vetAxis(t, "y", c.plot.Y, true, 0.15*tc.scale, many*10*tc.scale)
		})
	}
}

// vetMarks: the small marks are these samples, each once, beside their places; the large ones
// are these medians, in the colour, at their places.
func vetMarks(t *testing.T, what string, small, large marks, samples map[plotter.XY]bool, medians plotter.XYs, colour color.Color) {
	t.Helper()
	missing := len(samples)
	for w := range samples {
		if slices.ContainsFunc(small.XYs, func(g plotter.XY) bool { return nearXY(g, w) }) {
			missing--
		}
	}
	if missing != 0 || len(small.XYs) != len(samples) {
		t.Errorf("%s: %d samples are marked, expected %d, of which %d are missing", what, len(small.XYs), len(samples), missing)
	}
	if !slices.EqualFunc(large.XYs, medians, nearXY) || large.Color != colour || large.beside != (vg.Point{}) {
		t.Errorf("%s: medians %v in %v, expected %v in %v", what, large.XYs, large.Color, medians, colour)
	}
	if small.Radius >= large.Radius || small.Color == colour || small.beside == (vg.Point{}) {
		t.Errorf("%s: the samples look like medians, or lie under them", what)
	}
}

// vetInterval: the first bar is this interval, in the colour. It returns the other bars.
func vetInterval(t *testing.T, what string, bars []bar, from, to plotter.XY, colour color.Color) []bar {
	t.Helper()
	if len(bars) == 0 {
		t.Fatalf("%s has no interval %v to %v", what, from, to)
	}
	if got := bars[0]; !nearXY(got.from, from) || !nearXY(got.to, to) || got.Color != colour {
		t.Errorf("%s: interval %v to %v in %v, expected %v to %v in %v", what, got.from, got.to, got.Color, from, to, colour)
	}
	return bars[1:]
}

// If this fails, the chart of a reader's passes draws other percentiles than the file has, or
// in another order. An x is a percentile, in the units' order.
func TestDisturbData(t *testing.T) {
	var b strings.Builder
	for round := range many {
		fmt.Fprintf(&b, "# block %d round %d\n", round, round)
		k := (round*5+3)%many + 1
		fmt.Fprintf(&b, "BenchmarkDisturb/impl=rcu-cond-sync/gp=kernelgp 1 9 ns/op %d p50-ns 5 waits/op %d max-ns\n", 100*k, 1000*k)
		fmt.Fprintf(&b, "BenchmarkDisturb/impl=none/gp=kernelgp 1 %d p50-ns %d max-ns\n", 10*k, 20*k)
	}
	c, err := charts["disturb"](parse(t, b.String()))
	if err != nil {
		t.Fatal(err)
	}
	bars, labels := of[bar](c), c.labels.all
	if len(bars) != 4 || len(labels) != 2 {
		t.Fatalf("%d intervals, %d labels", len(bars), len(labels))
	}
	for i, base := range []float64{100, 1000, 10, 20} {
		from, to := plotter.XY{X: float64(i % 2), Y: manyLo * base * 1e-9}, plotter.XY{X: float64(i % 2), Y: manyHi * base * 1e-9}
		if !nearXY(bars[i].from, from) || !nearXY(bars[i].to, to) {
			t.Errorf("interval %v to %v, expected %v to %v", bars[i].from, bars[i].to, from, to)
		}
	}
	if labels[0].name != "rcu-cond-sync" || labels[0].detail != "max 6.50 µs" || labels[1].name != "undisturbed" || labels[1].detail != "max 130 ns" {
		t.Errorf("labels %+v", labels)
	}
	var ticks []string
	for _, tick := range c.plot.X.Tick.Marker.Ticks(c.plot.X.Min, c.plot.X.Max) {
		ticks = append(ticks, fmt.Sprintf("%v %s", tick.Value, tick.Label))
	}
	if !slices.Equal(ticks, []string{"0 p50", "1 max"}) {
		t.Errorf("ticks %q", ticks)
	}
	vetAxis(t, "y", c.plot.Y, true, 10e-9, many*1000e-9)
	vetAxis(t, "x", c.plot.X, false, 0, 1)
}

// If this fails, the chart of the trade-off includes the loop in x, draws another time for y,
// or an interval of too few samples.
func TestTradeoffData(t *testing.T) {
	const loop = 4
	c, err := charts["tradeoff"](mades{
		{"Dispatch/impl=nothing/probes=0", "ns/op", 0, many, loop},
		{"Dispatch/impl=static-call/probes=1", "ns/op", 2, many, loop},
		{"Dispatch/impl=indirect-iterator/probes=1", "ns/op", 3, few, loop},
		{"DisableAll/impl=naive-sync/gp=kernelgp/events=10", "ns/op", 1000, many, 0},
		{"DisableAll/impl=rcu-cond-sync/gp=kernelgp/events=10", "ns/op", 100, few, 0},
		{"DisableAll/impl=direct-static-call/gp=kernelgp/events=10", "ns/op", 50, many, 0},
		{"DisableAll/impl=indirect-iterator/gp=kernelgp/events=10", "ns/op", 70, many, 0},
		{"DisableAll/impl=naive-sync/gp=memb/events=10", "ns/op", 9, many, 0},
	}.run(t))
	if err != nil {
		t.Fatal(err)
	}
	bars, points := of[bar](c), of[marks](c)
	for i, want := range []struct {
		impl   string
		x, y   float64 // base
		xn, yn int
		label  string
		detail string
	}{
		{"indirect-iterator", 3, 70e-9, few, many, "indirect-iterator", "9.00 ns,  455 ns"},
		{"naive-sync", 2, 1000e-9, many, many, "naive-sync", "13.0 ns,  6.50 µs"},
		{"rcu-cond-sync", 2, 100e-9, many, few, "rcu-cond-sync", "13.0 ns,  300 ns"},
		{"direct-static-call", 2, 50e-9, many, many, "direct-static-call (unsafe)", "13.0 ns,  325 ns"},
	} {
		middle := map[int]float64{many: manyMedian, few: fewMedian}
		at, colour := plotter.XY{X: want.x * middle[want.xn], Y: want.y * middle[want.yn]}, c.looks[want.impl].color
		if i >= len(points) || i >= len(c.labels.all) {
			t.Fatalf("%d points, %d labels", len(points), len(c.labels.all))
		}
		if p := points[i]; len(p.XYs) != 1 || !nearXY(p.XYs[0], at) || p.Color != colour {
			t.Errorf("%s: point %v, expected %v", want.impl, p.XYs, at)
		}
		if l := c.labels.all[i]; l.name != want.label || l.detail != want.detail || l.color != colour || !nearXY(plotter.XY{X: l.x, Y: l.y}, at) {
			t.Errorf("%s: label %+v", want.impl, l)
		}
		for _, b := range []struct {
			n        int
			from, to plotter.XY
		}{
			{want.xn, plotter.XY{X: manyLo * want.x, Y: at.Y}, plotter.XY{X: manyHi * want.x, Y: at.Y}},
			{want.yn, plotter.XY{X: at.X, Y: manyLo * want.y}, plotter.XY{X: at.X, Y: manyHi * want.y}},
		} {
			if b.n == many {
				bars = vetInterval(t, want.impl, bars, b.from, b.to, colour)
			}
		}
	}
	if len(bars) != 0 || len(points) != 4 || len(c.labels.all) != 4 {
		t.Errorf("too many: intervals %v, %d points, %d labels", bars, len(points), len(c.labels.all))
	}
	vetAxis(t, "x", c.plot.X, false, 0, 2*many)
	if c.plot.X.Min != 0 || !strings.Contains(c.plot.X.Label.Text, "(ns)") {
		t.Errorf("x from %v, %q", c.plot.X.Min, c.plot.X.Label.Text)
	}
	vetAxis(t, "y", c.plot.Y, true, 50e-9, many*1000e-9)
}

// If this fails, a chart of rows has them in another order, or draws the samples, median or
// label of another benchmark.
func TestRowsData(t *testing.T) {
	for _, tc := range []struct {
		chart string
		rows  []string // benchmark | name of its row, in the chart's order
	}{
		{"disable-all", []string{
			"DisableAll/impl=direct-static-call/gp=kernelgp/events=10 | direct-static-call (unsafe)  ·  kernelgp",
			"DisableAll/impl=rcu-cond-sync/gp=kernelgp/events=10 | rcu-cond-sync  ·  kernelgp",
			"DisableAll/impl=indirect-iterator/gp=memb/events=10 | indirect-iterator  ·  memb",
			"DisableAll/impl=naive-sync/gp=memb/events=10 | naive-sync  ·  memb",
		}},
		{"transitions", []string{
			"Churn/impl=naive-sync/gp=kernelgp | naive-sync  ·  Churn",
			"Churn/impl=rcu-cond-sync/gp=kernelgp | rcu-cond-sync  ·  Churn",
			"Churn/impl=double-array-sync/gp=kernelgp | double-array-sync  ·  Churn",
			"PingPong/impl=naive-sync/gp=kernelgp | naive-sync  ·  PingPong",
			"Shrink/impl=naive-sync/gp=kernelgp/removed=first | naive-sync  ·  Shrink",
		}},
		{"unregister", []string{
			"Unregister/impl=sentinel/gp=kernelgp/fail=none/probes=8 | sentinel  ·  none",
			"Unregister/impl=stub/gp=kernelgp/fail=none/probes=8 | stub  ·  none",
			"Unregister/impl=stub/gp=kernelgp/fail=some/probes=8 | stub  ·  some",
			"Unregister/impl=stub/gp=kernelgp/fail=all/probes=8 | stub  ·  all",
		}},
		{"livepatch", []string{
			"LivepatchTransition/impl=rcu/change=patch/stack=0/tasks=8 | rcu (unsafe)  ·  patch, alone",
			"LivepatchTransition/impl=rude/change=patch/stack=0/tasks=8 | rude  ·  patch, alone",
			"LivepatchTransition/impl=rude/change=patch/stack=1/tasks=8 | rude  ·  patch, on another",
			"LivepatchTransition/impl=rude/change=unpatch/stack=0/tasks=8 | rude  ·  unpatch, alone",
			"LivepatchTransition/impl=rude/change=reverse/stack=0/tasks=8 | rude  ·  reverse, alone",
		}},
	} {
		t.Run(tc.chart, func(t *testing.T) {
			var ms mades
			for i, row := range slices.Backward(tc.rows) { // the file's order is another
				name, _, _ := strings.Cut(row, " | ")
				ms = append(ms, made{name, "ns/op", float64(2*i + 3), many, 0})
				if shown, ok := strings.CutSuffix(name, "/removed=first"); ok {
					ms = append(ms, made{shown + "/removed=last", "ns/op", 1, many, 0})
				}
			}
			c, err := charts[tc.chart](ms.run(t))
			if err != nil {
				t.Fatal(err)
			}
			ticks := c.plot.Y.Tick.Marker.Ticks(c.plot.Y.Min, c.plot.Y.Max)
			points := of[marks](c)
			if len(ticks) != len(tc.rows) || len(points) != 2*len(tc.rows) || len(c.labels.all) != len(tc.rows) {
				t.Fatalf("%d names, %d sets of marks, %d labels for %d rows", len(ticks), len(points), len(c.labels.all), len(tc.rows))
			}
			above := math.Inf(1)
			for i, row := range tc.rows {
				benchmark, name, _ := strings.Cut(row, " | ")
				_, impl, _ := strings.Cut(benchmark, "impl=")
				impl, _, _ = strings.Cut(impl, "/")
				y, base, colour := ticks[i].Value, float64(2*i+3)*1e-9, c.looks[impl].color
				if ticks[i].Label != name || y >= above || y < c.plot.Y.Min || y > c.plot.Y.Max {
					t.Errorf("row %d is %q at %v, expected %q below %v", i, ticks[i].Label, y, name, above)
				}
				above = y
				samples := map[plotter.XY]bool{}
				for k := 1; k <= many; k++ {
					samples[plotter.XY{X: float64(k) * base, Y: y}] = true
				}
				median := plotter.XY{X: manyMedian * base, Y: y}
				vetMarks(t, name, points[2*i], points[2*i+1], samples, plotter.XYs{median}, colour)
				l := c.labels.all[i]
				if want := results.Human(median.X, "sec/op"); l.name != want || l.color != colour || !nearXY(plotter.XY{X: l.x, Y: l.y}, median) {
					t.Errorf("%s: label %+v, expected %s at %v", name, l, want, median)
				}
			}
			vetAxis(t, "x", c.plot.X, true, 3e-9, many*float64(2*len(tc.rows)+1)*1e-9)
		})
	}
}

// If this fails, a label's waits or bytes are another row's, or no median.
func TestRowLabels(t *testing.T) {
	for chart, tc := range map[string]struct{ name, units, want string }{
		"disable-all": {"DisableAll/impl=naive-sync/gp=memb/events=10", "%d ns/op %d0 gp-waits/op", "7.00 ns,  70 waited"},
		"unregister":  {"Unregister/impl=stub/gp=kernelgp/fail=all/probes=8", "%d ns/op %d gp-waits/op %d00 bytes-held", "7.00 ns,  7 waited,  700 bytes"},
		"livepatch":   {"LivepatchTransition/impl=rude/change=patch/stack=0/tasks=1", "%d ns/op %d1 gp-waits/op %d ftrace-waits/op", "7.00 ns,  71 waited + 7 by ftrace"},
	} {
		var b strings.Builder
		for round, v := range []int{99, 7, 5} {
			fmt.Fprintf(&b, "# block %d round %[1]d\nBenchmark%s 1 %s\n", round, tc.name, strings.ReplaceAll(tc.units, "%d", strconv.Itoa(v)))
		}
		c, err := charts[chart](parse(t, b.String()))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.labels.all[0].name; got != tc.want {
			t.Errorf("%s: label %q, expected %q", chart, got, tc.want)
		}
	}
}

// If this fails, a chart's subtitle names another grace period or other rounds than its
// samples have.
func TestSubtitle(t *testing.T) {
	run := parse(t, `BenchmarkGracePeriod/gp=kernelgp/readers=0 1 8 ns/op
BenchmarkGracePeriod/gp=kernelgp/readers=1 1 9 ns/op
BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=10/readers=1 1 10 ns/op
BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=20/readers=1 1 20 ns/op
BenchmarkDisableAll/impl=rcu-cond-sync/gp=kernelgp/events=20/readers=1 1 20 ns/op
BenchmarkDisableAll/impl=rcu-cond-sync/gp=kernelgp/events=20/readers=0 1 20 ns/op
BenchmarkDispatch/impl=static-call/probes=1 1 2 ns/op
# block 1 round 1
BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=10/readers=1 1 10 ns/op
`)
	// A benchmark without readers shows the grace period without readers; one that was not measured is not shown.
	c, err := charts["dispatch"](run)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.subtitle, "kernel grace period 8.00 ns") {
		t.Errorf("dispatch: subtitle %q", c.subtitle)
	}
	if c, err = charts["dispatch"](parse(t, oneSample)); err != nil || strings.Contains(c.subtitle, "grace period") {
		t.Errorf("a run without a grace period: %v, subtitle %q", err, c.subtitle)
	}
	for _, chart := range []string{"scaling", "disable-all"} {
		c, err := charts[chart](run)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(c.subtitle, "kernel grace period 9.00 ns") || !strings.Contains(c.subtitle, "readers=1") {
			t.Errorf("%s: subtitle %q", chart, c.subtitle)
		}
		if chart == "scaling" && !strings.HasSuffix(c.subtitle, "1 to 2 rounds") || chart == "disable-all" && !strings.HasSuffix(c.subtitle, "1 round") {
			t.Errorf("%s: subtitle %q", chart, c.subtitle)
		}
		want := map[string]int{"scaling": 1, "disable-all": 2}[chart] // one point makes no line
		if got := len(c.labels.all); got != want {
			t.Errorf("%s shows %d benchmarks, expected %d", chart, got, want)
		}
	}
}

// spots is a glyph that remembers where it was drawn.
type spots struct{ at []vg.Point }

// DrawGlyph implements draw.GlyphDrawer.
func (s *spots) DrawGlyph(_ *draw.Canvas, _ draw.GlyphStyle, at vg.Point) { s.at = append(s.at, at) }

// If this fails, a point is drawn where the axes do not have it.
func TestTransform(t *testing.T) {
	p := plot.New()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 10, 0, 100
	var pen recorder.Canvas
	c := draw.NewCanvas(&pen, 100, 100)
	bar{plotter.XY{X: 2, Y: 30}, plotter.XY{X: 4, Y: 70}, draw.LineStyle{Color: ink, Width: 1}}.Plot(c, p)
	var path []vg.Point
	for _, action := range pen.Actions {
		if stroke, ok := action.(*recorder.Stroke); ok {
			for _, step := range stroke.Path {
				path = append(path, step.Pos)
			}
		}
	}
	if want := []vg.Point{{X: 20, Y: 30}, {X: 40, Y: 70}}; !slices.Equal(path, want) {
		t.Errorf("the bar is drawn at %v, expected %v", path, want)
	}
	var glyph spots
	marks{plotter.XYs{{X: 2, Y: 30}, {X: 10, Y: 100}}, draw.GlyphStyle{Color: ink, Radius: 1, Shape: &glyph}, vg.Point{X: 8, Y: -1}}.Plot(c, p)
	if want := []vg.Point{{X: 28, Y: 29}, {X: 108, Y: 99}}; !slices.Equal(glyph.at, want) {
		t.Errorf("the marks are drawn at %v, expected %v", glyph.at, want)
	}
}

// If this fails, times at four alignments get an interval, for which four are too few; or
// their median is of samples and not of alignments; or a disturbed sample is not drawn.
func TestAlignmentData(t *testing.T) {
	var b strings.Builder
	for round := range many {
		layout := round % 4
		fmt.Fprintf(&b, "# block %d round %d layout %d\n", round, round, layout)
		fmt.Fprintf(&b, "BenchmarkDispatch/impl=nothing/probes=0 1 1 ns/op\n")
		fmt.Fprintf(&b, "# sample at 2026-01-02T03:04:05Z tried 9 kept 9 shared 9 disturbed\n")
		fmt.Fprintf(&b, "BenchmarkDispatch/impl=static-call/probes=1 1 %d ns/op\n", []int{2, 3, 5, 60}[layout])
		fmt.Fprintf(&b, "# block %d round %d\nBenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=10 1 9 ns/op\n", many+round, round)
	}
	run := parse(t, b.String())
	c, err := charts["dispatch"](run)
	if err != nil {
		t.Fatal(err)
	}
	dots, medians := 0, 0
	for _, m := range of[marks](c) {
		for _, pt := range m.XYs {
			if near(pt.Y, 60e-9) {
				dots++
			}
			if near(pt.Y, 4e-9) {
				medians++
			}
		}
	}
	if dots != many/4 || medians != 1 || len(of[bar](c)) != 0 {
		t.Errorf("%d dots at the worst alignment, %d medians of 4 ns, %d intervals; want %d, 1, 0", dots, medians, len(of[bar](c)), many/4)
	}
	c, err = charts["tradeoff"](run)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range of[bar](c) {
		if v.from.X != v.to.X {
			t.Errorf("an interval of four alignments: %v", v)
		}
	}
}
