package results

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/perf/benchunit"
)

// A gridTable is a Table whose rows are benchmarks: their keys are the first
// columns, measurements are added to the right of them.
type gridTable struct {
	Table
	rows []Group
}

// grid starts a table with a row for each name, and a column for each key. Keys
// named in without do not make different rows and have no column ("base" is the
// benchmark's base name). Keys with one value only go to the title instead.
func grid(cat Catalog, ss Samples, without ...string) *gridTable {
	keys := []string{"base"}
	for _, s := range ss {
		for _, kv := range s.Keys {
			if !slices.Contains(keys, kv.Key) {
				keys = append(keys, kv.Key)
			}
		}
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return slices.Contains(without, k) })
	get := func(s *Sample, key string) string {
		if key == "base" {
			return s.Base
		}
		return s.Key(key)
	}

	t := &gridTable{}
	t.rows = ss.groupBy(func(s *Sample) string {
		name := ""
		for _, k := range keys {
			name += get(s, k) + "/"
		}
		return name
	})
	slices.SortStableFunc(t.rows, func(a, b Group) int {
		x, y := &a.Samples[0], &b.Samples[0]
		for _, k := range keys {
			c := Natural(get(x, k), get(y, k))
			if k == "impl" {
				c = cmp.Compare(cat.Index(x.Key(k)), cat.Index(y.Key(k)))
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})

	t.Rows = make([][]string, len(t.rows))
	for _, k := range keys {
		cells := make([]string, len(t.rows))
		constant := k != "impl"
		for i, r := range t.rows {
			cells[i] = get(&r.Samples[0], k)
			constant = constant && cells[i] == cells[0]
		}
		if constant {
			if k != "base" {
				t.Title += ", " + KeyValue{k, cells[0]}.String()
			}
			continue
		}
		t.add(cmp.Or(map[string]string{"base": "benchmark"}[k], k), cells)
		if k == "impl" {
			for i := range cells {
				cells[i] = cat.Status(cells[i])
			}
			t.add("status", cells)
		}
	}
	return t
}

// add appends a column.
func (t *gridTable) add(head string, cells []string) {
	t.Columns = append(t.Columns, head)
	for i, c := range cells {
		t.Rows[i] = append(t.Rows[i], c)
	}
}

// columns appends the medians of a unit in what of selects of each row's samples, with the
// spread of what is measured for an operation.
func (t *gridTable) columns(of func(Samples) Samples, head, unit string) {
	cells := make([]string, len(t.rows))
	for i, r := range t.rows {
		if s := of(r.Samples).Summary(unit); s.N > 0 {
			cells[i] = Human(s.Center, unit)
			if unit == "sec/op" || !IsTime(unit) {
				cells[i] = t.spread(s, func(v float64) string { return Human(v, unit) })
			}
		}
	}
	t.add(head, cells)
}

// counts says how many samples each row has, in the title if all have the same number. A
// loop that stands at several alignments has one value for each.
func (t *gridTable) counts(unit string) {
	cells := make([]string, len(t.rows))
	same, clusters := true, false
	for i, r := range t.rows {
		samples := r.Samples.Select(r.Samples[0].Base)
		n := samples.Summary(unit).N
		cells[i] = fmt.Sprint(n)
		same = same && cells[i] == cells[0]
		clusters = clusters || n < len(samples)
	}
	if clusters {
		t.Notes = append(t.Notes, "n counts alignments of the timed loop, each with the median of its samples")
	}
	if same {
		t.Title += ", n=" + cells[0]
		return
	}
	t.add("n", cells)
}

// safe adds the column that says what torture found in this run, after the status.
func (t *gridTable) safe(run *Run, cat Catalog) {
	cells := make([]string, len(t.rows))
	for i, r := range t.rows {
		cells[i] = safe(run, r.Samples[0].Key("impl"), cat)
	}
	at := slices.Index(t.Columns, "status") + 1
	t.Columns = slices.Insert(t.Columns, at, "safe")
	for i, c := range cells {
		t.Rows[i] = slices.Insert(t.Rows[i], at, c)
	}
}

// safe is one implementation's cell: the executions over which it held, or how often it
// broke; "" if it was not tortured. Lost samples are counted: torture may have killed the
// process. A sample without executions or without transitions proves nothing.
func safe(run *Run, impl string, cat Catalog) string {
	tortured := cat.Select(run.Samples, Torture, "impl="+impl)
	executions, broke, untried, lost := 0.0, 0, 0, 0
	for _, s := range tortured {
		value := func(unit string) float64 {
			v, _ := s.Value(unit)
			return v
		}
		switch n := value("executions/op"); {
		case value("mistakes/op") > 0:
			broke++
		case n > 0 && value("transitions/op") > 0:
			executions += n
		default:
			untried++
		}
	}
	for _, l := range run.Losses {
		base, keys, _ := strings.Cut(l.Name, "/")
		if slices.Contains(cat.Names(Torture), base) && strings.HasPrefix(keys, "impl="+impl+"/") {
			lost++
		}
	}
	var text string
	switch {
	case broke > 0:
		text = fmt.Sprintf("NO: broke in %d of %d", broke, len(tortured))
	case len(tortured) == 0 && lost == 0:
		return ""
	case len(tortured) == 0:
		return fmt.Sprintf("%d lost", lost)
	case untried == len(tortured):
		text, untried = "not tried", 0
	case cat.Status(impl) == "busted":
		text = "not caught"
	default:
		text = "held over " + benchunit.Scale(executions, benchunit.Decimal)
	}
	if untried > 0 {
		text += fmt.Sprintf(", %d not tried", untried)
	}
	if lost > 0 {
		text += fmt.Sprintf(", %d lost", lost)
	}
	return text
}
