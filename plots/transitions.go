package plots

import (
	"slices"

	"github.com/tpbench/tpbench/results"
)

// Transitions charts what single transitions cost under one flavour: disable one event and
// enable an unrelated one (Churn), replace the only probe of an event (PingPong), and
// remove the first of two (Shrink). The label adds the grace periods waited for in one.
// It needs one of these at least.
func Transitions(run *results.Run, cat results.Catalog, gp string) (*Chart, error) {
	var shown results.Samples
	var rows []results.Group
	var setting string
	for _, base := range []string{"Churn", "PingPong", "Shrink"} {
		filters := []string{"gp=" + gp}
		if base == "Shrink" {
			filters = append(filters, "removed=first")
		}
		taken, where := run.Samples.Select(base, filters...).OneSetting("impl")
		own := slices.DeleteFunc(taken.ByName(), func(g results.Group) bool { return len(g.Samples.Values("sec/op")) == 0 })
		slices.SortStableFunc(own, func(a, b results.Group) int {
			return cat.Index(a.Samples[0].Key("impl")) - cat.Index(b.Samples[0].Key("impl"))
		})
		rows, shown = append(rows, own...), append(shown, taken...)
		if setting == "" {
			setting = where
		}
	}
	if len(rows) == 0 {
		return nil, missing(run, "Churn, PingPong or Shrink/removed=first, with gp="+gp+", in ns/op")
	}
	c := newChart(run, shown, "What a single transition costs", setting)
	c.note = "Churn: disable one event, enable an unrelated one. PingPong: replace an event's only probe. Shrink: remove the first of two. Label: median and waits."
	c.plot.X.Label.Text = "time for one"
	return c, c.addRows(rows, cat, func(s *results.Sample) string { return s.Base }, waited)
}
