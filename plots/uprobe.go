package plots

import (
	"fmt"

	"github.com/tpbench/tpbench/results"
)

// uprobe charts how many hits a second all CPUs make together that hit one uprobe, against
// their number, a line for each variant. It needs UprobeHit with keys=same.
func uprobe(run *results.Run, cat results.Catalog) (*Chart, error) {
	const unit = "Mhits/s"
	all, setting := cat.Select(run.Samples, results.UprobeHit, "keys=same").OneSetting("impl", "cpus")
	c := newChart(run, cat, all, "Hits per second on one uprobe, by the CPUs that hit it at once", setting)
	c.note = "Both axes logarithmic. The breakpoint's trap is not included."
	c.plot.X.Label.Text = "CPUs"
	c.yLabel = "million hits per second, of all CPUs together"
	c.logX = "cpus"
	lines := c.over("cpus", unit, all, cat)
	for i := range lines {
		s := &lines[i]
		x, last := s.last()
		s.detail = results.Human(last.Center, unit) + " M/s at " + plural(int(x), "CPU")
		if s.xs[0] == 1 && len(s.xs) > 1 {
			s.detail += fmt.Sprintf(", %.2f times 1 CPU's", last.Center/s.summaries[0].Center)
		}
	}
	c.addSeries(lines, "")
	c.tickEach(lines)
	return c.orMissing(cat.Name(results.UprobeHit) + "/keys=same in " + unit)
}
