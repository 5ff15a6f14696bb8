package results

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results/stat"
)

// EvidenceTables returns the tables that sum up a run: firing (Dispatch), bulk
// switching at one number of events, single transitions, what the readers feel,
// the engines below, and one table for every other benchmark in the file.
// Tables without samples are left out. The catalog gives order and status.
func EvidenceTables(run *Run, cat Catalog) []*Table {
	var tables []*Table
	if len(run.Samples.Select("Dispatch")) > 0 {
		tables = append(tables, dispatchTable(run, cat))
	}
	if len(run.Samples.Select("DisableAll")) > 0 {
		tables = append(tables, bulkTable(run, cat))
	}
	shown := []string{"Dispatch", "DisableAll", "EnableAll", "Torture"}
	for _, family := range []struct {
		title string
		bases []string
	}{
		{"Single transitions", []string{"Churn", "PingPong", "Shrink"}},
		{"Reader latency while another core flips every event", []string{"Disturb"}},
		{"Grace period: one synchronize", []string{"GracePeriod"}},
		{"Read side: entering and leaving a read section", []string{"ReadSide"}},
		{"Text patching: one batch of sites", []string{"Poke"}},
	} {
		shown = append(shown, family.bases...)
		tables = append(tables, plainTable(run, cat, family.title, family.bases...)...)
	}
	for _, g := range run.Samples.ByName() {
		if base := g.Samples[0].Base; !slices.Contains(shown, base) {
			shown = append(shown, base)
			tables = append(tables, plainTable(run, cat, base, base)...)
		}
	}
	return tables
}

// dispatchTable has a row for each implementation and a column for each number
// of probes: the time of one pass without the loop around it, in ns.
func dispatchTable(run *Run, cat Catalog) *Table {
	all, setting := run.Samples.Select("Dispatch").OneSetting("impl", "probes")
	loop := all.Select("", "impl=nothing").Values("sec/op")
	net := func(ss Samples) []stat.Pair { return NetOfLoop(all, ss) }
	t := &Table{Title: "Firing: ns for one pass, without the loop", Notes: []string{"medians, less the empty loop (impl=nothing) of the same round"}}
	if setting != "" {
		t.Title += ", " + setting
	}
	if len(loop) == 0 {
		t.Title = strings.Replace(t.Title, "without", "with", 1)
		t.Notes[0] = "the loop is not subtracted: " + (&MissingError{run.Path, "Dispatch/impl=nothing"}).Error()
		net = func(ss Samples) []stat.Pair { return ss.Pairs("sec/op") }
	}
	ns := func(sec float64) string { return fmt.Sprintf("%.2f", sec*1e9) }

	probes := all.GroupBy("probes")
	t.Columns = []string{"impl", "status"}
	for _, p := range probes {
		t.Columns = append(t.Columns, "probes="+p.Value)
	}
	t.Columns = append(t.Columns, "probes=1 to plain-call")
	warned := map[string]bool{}
	for _, impl := range cat.Sort(all) {
		row := []string{impl.Value, cat.Status(impl.Value)}
		if impl.Value == "nothing" && len(loop) > 0 {
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
		if r, err := stat.PairedRatio(net(impl.Samples.Select("", "probes=1")), net(all.Select("", "impl=plain-call", "probes=1"))); err == nil && impl.Value != "plain-call" {
			compared = fmt.Sprintf("%s [%s..%s]", ratio(r.Center), factor(r.Lo), factor(r.Hi))
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
	t.disturbed(all)
	t.dropEmpty()
	t.explain()
	return t
}

// restsOn says how many pairs an estimate rests on.
func restsOn(e stat.Estimate) string {
	if e.Clusters > 0 {
		return fmt.Sprintf("n=%d rounds at %d alignments", e.N, e.Clusters)
	}
	return fmt.Sprintf("n=%d rounds", e.N)
}

// disturbed notes how many of the table's samples were taken beside a neighbour.
func (t *Table) disturbed(ss Samples) {
	if n := ss.Disturbed(); n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("a neighbour shared the core in %d of %d samples", n, len(ss)))
	}
}

// NetOfLoop returns the times of Dispatch samples, in seconds, less the empty
// loop (impl=nothing) that dispatch has from the same round. It is empty if the
// loop was not measured.
func NetOfLoop(dispatch, samples Samples) []stat.Pair {
	return stat.PairedDiffs(samples.Pairs("sec/op"), dispatch.Select("Dispatch", "impl=nothing").Pairs("sec/op"))
}

// bulkTable has a row for each strategy and flavour: disabling and enabling all
// of the largest number of events that most of them were run with. Whether a strategy is
// safe to use is what the run's own torture found.
func bulkTable(run *Run, cat Catalog) *Table {
	disable, events := run.Samples.Select("DisableAll").AtLargest("events")
	enable := run.Samples.Select("EnableAll", "events="+events)
	t := grid(cat, slices.Concat(disable, enable), "base", "events")
	t.Title = "Bulk: disabling and enabling " + thousands(events) + " events" + t.Title
	t.safe(run, cat)
	t.counts("sec/op")
	t.columns("DisableAll", "disable all", "sec/op")
	t.columns("DisableAll", "an event", "sec/event")
	t.columns("DisableAll", "gp waits", "gp-waits/op")
	t.columns("DisableAll", "elided", "gp-elided/op")
	t.columns("DisableAll", "core syncs", "core-syncs/op")
	t.columns("EnableAll", "enable all", "sec/op")
	t.columns("EnableAll", "to enable: gp waits", "gp-waits/op")
	for _, g := range run.Samples.Select("DisableAll").groupBy(func(s *Sample) string { return s.Except("events") }) {
		if len(g.Samples.Select("", "events="+events)) == 0 {
			t.Notes = append(t.Notes, "not run with that many events: "+g.Value)
		}
	}
	t.disturbed(slices.Concat(disable, enable))
	t.dropEmpty()
	t.explain()
	return &t.Table
}

// plainTable has a row for each benchmark of the bases and a column for each
// unit.
func plainTable(run *Run, cat Catalog, title string, bases ...string) []*Table {
	var all Samples
	for _, b := range bases {
		all = append(all, run.Samples.Select(b)...)
	}
	if len(all) == 0 {
		return nil
	}
	t := grid(cat, all)
	t.Title = title + t.Title
	t.counts(all.Units()[0])
	for _, u := range all.Units() {
		t.columns("", HumanUnit(u), u)
	}
	t.disturbed(all)
	t.dropEmpty()
	t.explain()
	return []*Table{&t.Table}
}
