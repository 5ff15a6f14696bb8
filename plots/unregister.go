package plots

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// Unregister charts the time to remove half of a tracepoint's probes, for each way to
// remove and for none, some and all of its allocations failing, under one flavour; the label
// adds the grace periods waited and the bytes held afterwards. It needs Unregister/gp=<gp>.
func Unregister(run *results.Run, cat results.Catalog, gp string) (*Chart, error) {
	all, setting := run.Samples.Select("Unregister", "gp="+gp).OneSetting("impl", "fail", "probes")
	at, probes := all.AtLargest("probes")
	rows := slices.DeleteFunc(at.ByName(), func(g results.Group) bool { return len(g.Samples.Values("sec/op")) == 0 })
	if len(rows) == 0 {
		return nil, missing(run, "Unregister/gp="+gp+" in ns/op")
	}
	order := []string{"none", "some", "all"}
	slices.SortStableFunc(rows, func(a, b results.Group) int {
		x, y := &a.Samples[0], &b.Samples[0]
		return cmp.Or(slices.Index(order, x.Key("fail"))-slices.Index(order, y.Key("fail")), cat.Index(x.Key("impl"))-cat.Index(y.Key("impl")))
	})
	half := probes
	if n, err := strconv.Atoi(probes); err == nil {
		half = strconv.Itoa(n / 2)
	}
	c := newChart(run, at, "Time to remove "+half+" of "+probes+" probes, when none, some or all allocations fail", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median, grace periods waited, and memory held after the next grace period."
	c.plot.X.Label.Text = "time to remove them, one after the other"
	return c, c.addRows(rows, cat, byKey("fail"), func(ss results.Samples) string {
		detail := waited(ss)
		if held := ss.Values("bytes-held"); len(held) > 0 {
			detail += ",  " + results.Human(stat.Summarize(held).Center, "") + " bytes"
		}
		return detail
	})
}
