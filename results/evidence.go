package results

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results/stat"
)

// EvidenceTables returns the tables that sum up a run: firing, bulk changes at one number
// of events, the running kernel's operations, then those that the catalog names, in its order, and then one table for every
// other benchmark in the file. What torture found is a column of the bulk changes. Tables
// without samples are left out.
func EvidenceTables(run *Run, cat Catalog) []*Table {
	var tables []*Table
	if len(cat.Select(run.Samples, Firing)) > 0 {
		tables = append(tables, firingTable(run, cat))
	}
	if len(cat.Select(run.Samples, Disable)) > 0 {
		tables = append(tables, bulkTable(run, cat))
	}
	if ss := cat.Select(run.Samples, RunningKernel); len(ss) > 0 {
		tables = append(tables, kernelTable(ss, cat))
	}
	shown := slices.Concat(cat.Names(Firing), cat.Names(Disable), cat.Names(Enable), cat.Names(Torture), cat.Names(RunningKernel))
	for _, b := range cat.Benchmarks {
		if b.Table == "" || slices.Contains(shown, b.Name) {
			continue
		}
		var together Samples
		for _, other := range cat.Benchmarks {
			if other.Table == b.Table {
				shown = append(shown, other.Name)
				together = append(together, run.Samples.Select(other.Name)...)
			}
		}
		if len(together) > 0 {
			tables = append(tables, plainTable(together, cat, b.Table))
		}
	}
	for _, g := range run.Samples.ByName() {
		if base := g.Samples[0].Base; !slices.Contains(shown, base) {
			shown = append(shown, base)
			tables = append(tables, plainTable(run.Samples.Select(base), cat, base))
		}
	}
	return tables
}

// firingTable has a row for each implementation and a column for each number
// of probes: the time of one pass without the loop around it, in ns.
func firingTable(run *Run, cat Catalog) *Table {
	all, setting := cat.Select(run.Samples, Firing).OneSetting("impl", "probes")
	loop := all.Select("", "impl="+cat.EmptyLoop).Values("sec/op")
	net := func(ss Samples) []stat.Pair { return NetOfLoop(all, ss, cat) }
	t := &Table{Title: "Firing: ns for one pass, without the loop", Notes: []string{"medians, less the empty loop (impl=" + cat.EmptyLoop + ") of the same round"}}
	if setting != "" {
		t.Title += ", " + setting
	}
	if len(loop) == 0 {
		t.Title = strings.Replace(t.Title, "without", "with", 1)
		t.Notes[0] = "the loop is not subtracted: " + (&MissingError{run.Path, cat.Name(Firing) + "/impl=" + cat.EmptyLoop}).Error()
		net = func(ss Samples) []stat.Pair { return ss.Pairs("sec/op") }
	}
	ns := func(sec float64) string { return fmt.Sprintf("%.2f", sec*1e9) }

	probes := all.GroupBy("probes")
	t.Columns = []string{"impl", "status"}
	for _, p := range probes {
		t.Columns = append(t.Columns, "probes="+p.Value)
	}
	t.Columns = append(t.Columns, "probes=1 to "+cat.PlainCall)
	warned := map[string]bool{}
	for _, impl := range cat.Sort(all) {
		row := []string{impl.Value, cat.Status(impl.Value)}
		if impl.Value == cat.EmptyLoop && len(loop) > 0 {
			t.Notes = append(t.Notes, "the empty loop itself: "+ns(stat.Summarize(loop).Center)+" ns")
			continue
		}
		for _, p := range probes {
			cell := ""
			if pass := net(impl.Samples.Select("", "probes="+p.Value)); len(pass) > 0 {
				s := stat.Summarize(stat.Collapse(pass))
				cell = ns(s.Center)
				if p.Value == "0" || p.Value == "1" {
					cell = t.spread(s, ns)
				}
			}
			row = append(row, cell)
		}
		compared := ""
		if r, err := stat.PairedRatio(net(impl.Samples.Select("", "probes=1")), net(all.Select("", "impl="+cat.PlainCall, "probes=1"))); err == nil && impl.Value != cat.PlainCall {
			compared = fmt.Sprintf("%s [%s..%s]", ratio(r.Center), Factor(r.Lo), Factor(r.Hi))
			rests := fmt.Sprintf("ratios are of pairs from one round, %s", restsOn(r))
			for _, w := range r.Warnings {
				rests += ": " + w.Error()
			}
			if !warned[rests] {
				warned[rests] = true
				t.Notes = append(t.Notes, rests)
			}
		}
		t.Rows = append(t.Rows, append(row, compared))
	}
	t.finish(all)
	return t
}

// restsOn says how many pairs an estimate rests on.
func restsOn(e stat.Estimate) string {
	if e.Clusters > 0 {
		return fmt.Sprintf("n=%d rounds at %d alignments", e.N, e.Clusters)
	}
	return fmt.Sprintf("n=%d rounds", e.N)
}

// NetOfLoop returns the times of samples of Firing, in seconds, less the time that the
// empty loop took in the same round, which is among firing. It is empty if the loop was not
// measured.
func NetOfLoop(firing, samples Samples, cat Catalog) []stat.Pair {
	return stat.PairedDiffs(samples.Pairs("sec/op"), firing.Select("", "impl="+cat.EmptyLoop).Pairs("sec/op"))
}

// bulkTable has a row for each strategy and flavour: disabling and enabling all
// of the largest number of events that most of them were run with. Whether a strategy is
// safe to use, the run's torture has found.
func bulkTable(run *Run, cat Catalog) *Table {
	disable, events := cat.Select(run.Samples, Disable).AtLargest("events")
	enable := cat.Select(run.Samples, Enable, "events="+events)
	t := grid(cat, slices.Concat(disable, enable), "base", "events")
	t.Title = "Bulk: disabling and enabling " + thousands(events) + " events" + t.Title
	t.safe(run, cat)
	t.counts("sec/op")
	for _, column := range []struct {
		of         Role
		head, unit string
	}{
		{Disable, "disable all", "sec/op"},
		{Disable, "an event", "sec/event"},
		{Disable, "gp waits", "gp-waits/op"},
		{Disable, "elided", "gp-elided/op"},
		{Disable, "core syncs", "core-syncs/op"},
		{Enable, "enable all", "sec/op"},
		{Enable, "to enable: gp waits", "gp-waits/op"},
	} {
		t.columns(func(ss Samples) Samples { return cat.Select(ss, column.of) }, column.head, column.unit)
	}
	for _, g := range cat.Select(run.Samples, Disable).groupBy(func(s *Sample) string { return s.Except("events") }) {
		if len(g.Samples.Select("", "events="+events)) == 0 {
			t.Notes = append(t.Notes, "not run with that many events: "+g.Value)
		}
	}
	t.finish(slices.Concat(disable, enable))
	return &t.Table
}

// kernelTable has a row for each operation on the running kernel, in the catalog's order, and a column for
// each unit. The operations have so different keys that each with a column of its own would be mostly empty.
func kernelTable(all Samples, cat Catalog) *Table {
	t := &gridTable{}
	var operations []string
	for _, name := range cat.Names(RunningKernel) {
		for _, g := range all.Select(name).ByName() {
			t.rows = append(t.rows, g)
			operations = append(operations, g.Value)
		}
	}
	t.Title = "The running kernel"
	t.Rows = make([][]string, len(t.rows))
	t.add("operation", operations)
	t.counts("sec/op")
	t.columns(func(ss Samples) Samples { return ss }, "time", "sec/op")
	each := make([]string, len(t.rows)) // of the events, or of the uprobes
	units := slices.DeleteFunc(all.Units(), func(u string) bool { return u == "sec/op" })
	for _, u := range units {
		for i, r := range t.rows {
			if s := r.Samples.Summary(u); strings.HasPrefix(u, "sec/") && s.N > 0 {
				each[i] = Human(s.Center, u)
			}
		}
	}
	t.add("each", each)
	for _, u := range units {
		if !strings.HasPrefix(u, "sec/") {
			t.columns(func(ss Samples) Samples { return ss }, strings.TrimSuffix(u, "/op"), u)
		}
	}
	t.finish(all)
	return &t.Table
}

// plainTable has a row for each benchmark and a column for each unit.
func plainTable(all Samples, cat Catalog, title string) *Table {
	t := grid(cat, all)
	t.Title = title + t.Title
	t.counts(all.Units()[0])
	for _, u := range all.Units() {
		t.columns(func(ss Samples) Samples { return ss }, HumanUnit(u), u)
	}
	t.finish(all)
	return &t.Table
}
