package plots

import (
	"slices"

	"github.com/tpbench/tpbench/results"
)

// transitions charts what single transitions cost with the kernel's grace period, for each
// benchmark of them. The label adds the grace periods waited for in one. It needs one of the
// benchmarks of the role Transition.
func transitions(run *results.Run, cat results.Catalog) (*Chart, error) {
	var shown results.Samples
	setting, note := "", ""
	names := cat.Names(results.Transition)
	for _, b := range cat.Benchmarks {
		if b.Role != results.Transition {
			continue
		}
		where := []string{"gp=" + cat.KernelGP}
		if b.Shown != "" {
			where = append(where, b.Shown)
		}
		taken, of := run.Samples.Select(b.Name, where...).OneSetting("impl")
		if setting == "" {
			setting = of
		}
		shown = append(shown, taken...)
		note += b.Name + ": " + b.Short + ". "
	}
	c := newChart(run, cat, shown, "What a single transition costs", setting)
	c.note = note + "Label: median and waits."
	c.plot.X.Label.Text = "time for one"
	rows := rowsOf(shown, cat, func(a, b *results.Sample) int { return slices.Index(names, a.Base) - slices.Index(names, b.Base) })
	c.addRows(rows, func(s *results.Sample) string { return s.Base }, waited)
	return c.orMissing(cat.Name(results.Transition) + ", with gp=" + cat.KernelGP + ", in ns/op")
}
