package plots

import (
	"strconv"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// unregister charts the time to remove half of a tracepoint's probes with the kernel's grace
// period, for each way to remove and for none, some and all of its allocations failing; the
// label adds the grace periods waited and the bytes held afterwards. It needs Removal.
func unregister(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Removal, "gp="+cat.KernelGP).OneSetting("impl", "fail", "probes")
	at, probes := all.AtLargest("probes")
	half := probes
	if n, err := strconv.Atoi(probes); err == nil {
		half = strconv.Itoa(n / 2)
	}
	c := newChart(run, cat, at, "Time to remove "+half+" of "+probes+" probes, when none, some or all allocations fail", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median, grace periods waited, and memory held after the next grace period."
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
