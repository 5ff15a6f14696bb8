package plots

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// This file has one function for each chart. It selects from a run (one result file) the samples of
// the benchmark with a role; the caller's catalog says which benchmark has which role, and in
// which order implementations are shown. README.md and docs/glossary.md define tracepoints'
// words: event, site, reader, strategy, grace period.

// A Drawing is one of the charts.
type Drawing struct {
	Name string       // the chart's files are Name.svg and Name.png
	Role results.Role // the role of the benchmarks that the chart shows

	// Draw draws the chart. It returns a *results.MissingError if the run has no samples of
	// these benchmarks.
	Draw func(*results.Run, results.Catalog) (*Chart, error)
}

// Charts lists the charts, in the order to show them.
func Charts() []Drawing {
	return []Drawing{
		{"disable-all", results.Disable, disableAll},
		{"scaling", results.Disable, scaling},
		{"transitions", results.Transition, transitions},
		{"tradeoff", results.Disable, tradeoff},
		{"dispatch", results.Firing, dispatchProbes},
		{"disturb", results.ReaderLatency, disturb},
		{"unregister", results.Removal, unregister},
		{"livepatch", results.FunctionTransition, livepatch},
		{"uprobe", results.UprobeHit, uprobe},
		{"poke", results.Patching, poke},
	}
}

// disableAll has a row for each strategy and flavour, at the largest number of events that
// most of them were run with.
func disableAll(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Disable).OneSetting("impl", "gp", "events")
	at, events := all.AtLargest("events")
	c := newChart(run, cat, at, "Time to disable "+count(events)+" events", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median and grace periods waited."
	c.plot.X.Label.Text = "time to disable all events"
	byFlavour := func(a, b *results.Sample) int { return cmp.Compare(a.Key("gp"), b.Key("gp")) }
	c.addRows(rowsOf(at, cat, byFlavour), byKey("gp"), waited)
	return c.orMissing(cat.Name(results.Disable) + " in ns/op")
}

// scaling has a line for each strategy with the kernel's grace period. The label gives the
// slope of the line, with its 95 % interval: 1 is the same cost for each event however many
// there are. A strategy that was run with one number of events has no line.
func scaling(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Disable, "gp="+cat.KernelGP).OneSetting("impl", "events")
	c := newChart(run, cat, all, "Time to disable all events, by their number", setting)
	c.note = "Both axes logarithmic. Slope: least squares through all samples, [95 % interval]; 1 = linear in the events."
	c.plot.X.Label.Text = "events"
	c.yLabel = "time to disable all"
	c.logX = "events"
	lines := slices.DeleteFunc(c.over("events", "sec/op", all, cat), func(s series) bool { return len(s.xs) < 2 })
	c.addSeries(lines, "sec", func(s series) string {
		var x, y []float64
		for _, pt := range s.samples {
			x, y = append(x, pt.X), append(y, pt.Y)
		}
		fit, err := stat.Slope(x, y)
		if err != nil {
			return "slope not determined"
		}
		return fmt.Sprintf("slope %.2f [%.2f..%.2f]", fit.Center, fit.Lo, fit.Hi)
	})
	return c.orMissing(cat.Name(results.Disable) + "/gp=" + cat.KernelGP + " with two or more values of events")
}

// transitions has a row for each benchmark of the role and each strategy, with the kernel's
// grace period.
func transitions(run *results.Run, cat results.Catalog) (*Chart, error) {
	var shown results.Samples
	setting, note := "", ""
	names := cat.Names(results.Transition)
	for _, b := range cat.Benchmarks {
		if b.Role != results.Transition {
			continue
		}
		taken, of := cat.Shown(run.Samples, b.Name).Select("", "gp="+cat.KernelGP).OneSetting("impl")
		setting = cmp.Or(setting, of)
		shown = append(shown, taken...)
		note += b.Name + ": " + b.Short + ". "
	}
	c := newChart(run, cat, shown, "What a single transition costs", setting)
	c.note = note + "Label: median and waits."
	c.plot.X.Label.Text = "time for one"
	inTurn := func(a, b *results.Sample) int { return slices.Index(names, a.Base) - slices.Index(names, b.Base) }
	c.addRows(rowsOf(shown, cat, inTurn), func(s *results.Sample) string { return s.Base }, waited)
	return c.orMissing(cat.Name(results.Transition) + ", with gp=" + cat.KernelGP + ", in ns/op")
}

// tradeoff has a point for each strategy: x is the time of one pass with one probe less the
// empty loop, y the time to disable all events with the kernel's grace period.
func tradeoff(run *results.Run, cat results.Catalog) (*Chart, error) {
	firing, _ := cat.Select(run.Samples, results.Firing).OneSetting("impl", "probes")
	all, setting := cat.Select(run.Samples, results.Disable, "gp="+cat.KernelGP).OneSetting("impl", "events")
	at, events := all.AtLargest("events")

	c := newChart(run, cat, at, "What firing costs, and what switching costs", setting)
	c.note = "Points: medians; bars: 95 % interval. Lower left is better. Logarithmic vertical axis."
	p := c.plot
	p.X.Label.Text = "one pass with one probe, without the loop (ns)"
	c.yLabel = "time to disable " + count(events) + " events"
	c.add(grid{x: true, y: true}, c.labels)
	var far float64
	var ys []float64
	strategies := cat.Sort(at)
	slices.SortStableFunc(strategies, func(a, b results.Group) int { // hollow marks on top
		return c.looks[a.Value].layer() - c.looks[b.Value].layer()
	})
	for _, impl := range strategies {
		i := cat.Index(impl.Value)
		if i == len(cat.Impls) {
			continue
		}
		pass := results.NetOfLoop(firing, firing.Select("", "impl="+cat.Impls[i].Fires, "probes=1"), cat)
		for i := range pass {
			pass[i].Value *= 1e9
		}
		x, y := stat.Summarize(stat.Collapse(pass)), stat.Summarize(impl.Samples.Values("sec/op"))
		if x.N == 0 || y.N == 0 {
			continue
		}
		l := c.looks[impl.Value]
		if x.HasInterval() {
			c.add(l.interval(plotter.XY{X: x.Lo, Y: y.Center}, plotter.XY{X: x.Hi, Y: y.Center}))
		}
		if y.HasInterval() {
			c.add(l.interval(plotter.XY{X: x.Center, Y: y.Lo}, plotter.XY{X: x.Center, Y: y.Hi}))
		}
		median := plotter.XY{X: x.Center, Y: y.Center}
		c.add(marks{plotter.XYs{median}, l.point(), vg.Point{}})
		c.label(median, l, results.Human(x.Center/1e9, "sec/op")+",  "+results.Human(y.Center, "sec/op"))
		far, ys = max(far, x.Max), append(ys, impl.Samples.Values("sec/op")...)
	}
	p.X.Min, p.X.Max = 0, far*1.1
	p.X.Tick.Marker = plot.DefaultTicks{}
	if len(ys) > 0 {
		c.logAxis(&p.Y, c.what, "sec", ys)
	}
	name := cat.Name(results.Firing)
	return c.orMissing(cat.Name(results.Disable) + "/gp=" + cat.KernelGP + " for a strategy, or of " +
		name + "/probes=1 for its way to fire, or of " + name + "/impl=" + cat.EmptyLoop)
}

// dispatchProbes has a line for each way to dispatch, and a point for each floor.
func dispatchProbes(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Firing).OneSetting("impl", "probes")
	c := newChart(run, cat, all, "Time to fire a site, by the probes on it", setting)
	c.note = "Logarithmic vertical axis, so the loop around the site is not subtracted: \"" +
		cat.EmptyLoop + "\" is that loop alone."
	c.plot.X.Label.Text = "probes on the site (0 = disabled)"
	c.yLabel = "one pass, loop included"
	lines := c.over("probes", "sec/op", all, cat)
	c.addSeries(lines, "sec", func(s series) string {
		x, last := s.last()
		return results.Human(last.Center, "sec/op") + " at " + plural(int(x), "probe")
	})
	c.plot.X.Min, c.plot.X.Max = -0.25, c.tickEach(lines)+0.25
	return c.orMissing(cat.Name(results.Firing) + " in ns/op")
}

// disturb shows how much slower a reader gets while another CPU switches all events on and off: the
// benchmark measures many passes of the reader over 64 sites. There is a line for each strategy, and
// a grey one for a reader that nothing disturbs. The horizontal axis has percentiles of the time of
// a pass, from the median to the longest. A sample has each as a unit of its own: p50-ns, max-ns.
func disturb(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.ReaderLatency).OneSetting("impl")
	// sec/op is how long a sample took, many passes.
	percentiles := slices.DeleteFunc(all.Units(), func(u string) bool { return !results.IsTime(u) || u == "sec/op" })

	c := newChart(run, cat, all, "How long a reader's pass takes while another core switches every event", setting)
	c.note = "Logarithmic vertical axis. Grey: undisturbed. " +
		"A sample has each percentile once; lines join the medians over all samples."
	c.plot.X.Label.Text = "percentile of the times of a pass"
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
			lines = append(lines, s)
		}
	}
	c.addSeries(lines, "sec", func(s series) string {
		x, last := s.last()
		return results.HumanUnit(percentiles[int(x)]) + " " + results.Human(last.Center, "sec")
	})
	var ticks plot.ConstantTicks
	for i, u := range percentiles {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: results.HumanUnit(u)})
	}
	c.plot.X.Tick.Marker = ticks
	c.plot.X.Min, c.plot.X.Max = -0.15, float64(len(percentiles))-0.85 // a margin on both sides
	return c.orMissing(cat.Name(results.ReaderLatency) + " in p50-ns, max-ns or the like")
}

// unregister has a row for each way to remove half of a tracepoint's probes, and for none,
// some and all of its allocations failing, with the kernel's grace period. The label adds the
// bytes held afterwards.
func unregister(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Removal, "gp="+cat.KernelGP).OneSetting("impl", "fail", "probes")
	at, probes := all.AtLargest("probes")
	half := probes
	if n, err := strconv.Atoi(probes); err == nil {
		half = strconv.Itoa(n / 2)
	}
	c := newChart(run, cat, at, "Time to remove "+half+" of "+probes+" probes, when none, some or all allocations fail",
		setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. " +
		"Label: median, grace periods waited, and memory held after the next grace period."
	c.plot.X.Label.Text = "time to remove them, one after the other"
	c.addRows(rowsOf(at, cat, inOrder("fail", "none", "some", "all")), byKey("fail"), func(ss results.Samples) string {
		detail := waited(ss)
		if held := ss.Values("bytes-held"); len(held) > 0 {
			detail += ",  " + results.Human(stat.Summarize(held).Center, "") + " bytes"
		}
		return detail
	})
	return c.orMissing(cat.Name(results.Removal) + "/gp=" + cat.KernelGP + " in ns/op")
}

// livepatch has a row for each change of a function (patching it, unpatching it, and
// reversing that before it is complete) where it is the only patch and where it is on another
// one, at the largest number of sleeping tasks.
func livepatch(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.FunctionTransition).OneSetting("impl", "change", "stack", "tasks")
	at, tasks := all.AtLargest("tasks")
	c := newChart(run, cat, at, "What a live patch's transition takes, with "+count(tasks)+" sleeping tasks", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. " +
		"Label: median, waits at the kernel's three places, and ftrace's own."
	c.plot.X.Label.Text = "time until the transition is complete"
	change := inOrder("change", "patch", "unpatch", "reverse")
	rows := rowsOf(at, cat, func(a, b *results.Sample) int {
		return cmp.Or(change(a, b), cmp.Compare(a.Key("stack"), b.Key("stack")))
	})
	what := func(s *results.Sample) string {
		if s.Key("stack") == "0" {
			return s.Key("change") + ", alone"
		}
		return s.Key("change") + ", on another"
	}
	c.addRows(rows, what, func(ss results.Samples) string {
		detail := waited(ss)
		if ftrace := stat.Summarize(ss.Values("ftrace-waits/op")).Center; ftrace > 0 { // NaN of none
			detail += " + " + results.Human(ftrace, "") + " by ftrace"
		}
		return detail
	})
	return c.orMissing(cat.Name(results.FunctionTransition) + " in ns/op")
}

// uprobe has a line for each variant: the hits a second that all CPUs make together.
func uprobe(run *results.Run, cat results.Catalog) (*Chart, error) {
	const unit = "Mhits/s"
	all, setting := cat.Select(run.Samples, results.UprobeHit, "keys=same").OneSetting("impl", "cpus")
	c := newChart(run, cat, all, "Hits per second on one uprobe, by the CPUs that hit it at once", setting)
	c.note = "Both axes logarithmic. The breakpoint's trap is not included."
	c.plot.X.Label.Text = "CPUs"
	c.yLabel = "million hits per second, of all CPUs together"
	c.logX = "cpus"
	lines := c.over("cpus", unit, all, cat)
	c.addSeries(lines, "", func(s series) string {
		x, last := s.last()
		detail := results.Human(last.Center, unit) + " M/s at " + plural(int(x), "CPU")
		if s.xs[0] == 1 && len(s.xs) > 1 {
			detail += fmt.Sprintf(", %.2f times 1 CPU's", last.Center/s.summaries[0].Center)
		}
		return detail
	})
	c.tickEach(lines)
	return c.orMissing(cat.Name(results.UprobeHit) + "/keys=same in " + unit)
}

// poke has two lines for each way to patch: the other core executes the sites, or does nothing.
func poke(run *results.Run, cat results.Catalog) (*Chart, error) {
	executed := cat.Select(run.Samples, results.Patching, "beside=sites")
	idle := cat.Select(run.Samples, results.Patching, "beside=idle")
	c := newChart(run, cat, append(executed, idle...), "What it costs to patch one site, by the sites of a batch")
	c.note = "Both axes logarithmic. Dotted and dark: the other core is idle; else it executes the sites."
	c.plot.X.Label.Text = "sites in a batch"
	c.yLabel = "time for one site"
	c.logX = "sites"
	lines := c.over("sites", "sec/site", executed, cat)
	for i := range lines {
		lines[i].name += ", executed"
	}
	for _, s := range c.over("sites", "sec/site", idle, cat) {
		s.name += ", idle"
		s.dashes = []vg.Length{1, 3}
		s.color = mix(s.color, ink, 0.3) // as dark as no turn of the palette: no two lines have one colour
		lines = append(lines, s)
	}
	c.addSeries(lines, "sec", func(s series) string {
		_, last := s.last()
		return results.Human(last.Center, "sec") + " a site"
	})
	return c.orMissing(cat.Name(results.Patching) + "/beside=sites or idle in ns/site")
}
