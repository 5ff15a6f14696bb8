package results

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the comparison as one table per unit, as benchstat does:
// medians with the half width of their interval, the change with its p value,
// and the verdict; then what could not be compared.
func (c *Comparison) WriteText(w io.Writer) error {
	var b strings.Builder
	if len(c.Differ) > 0 {
		fmt.Fprintf(&b, "warning: a change may not come from the code, because these facts differ: %s\n\n", strings.Join(c.Differ, ", "))
	}
	for rows := c.Rows; len(rows) > 0; {
		n := 1
		for n < len(rows) && rows[n].Unit == rows[0].Unit {
			n++
		}
		fmt.Fprint(&b, unitComparison(rows[:n]))
		rows = rows[n:]
	}
	for _, name := range c.OnlyOld {
		fmt.Fprintf(&b, "only in %s: %s\n", c.Old.Path, name)
	}
	for _, name := range c.OnlyNew {
		fmt.Fprintf(&b, "only in %s: %s\n", c.New.Path, name)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// unitComparison tabulates rows of one unit.
func unitComparison(rows []Row) *Table {
	unit := rows[0].Unit
	t := &Table{Title: unit, Columns: []string{"benchmark", "old", "±", "new", "±", "change", "test"}}
	warned := map[string]bool{}
	for _, r := range rows {
		row := []string{
			r.Name,
			Human(r.Old.Center, unit), r.Old.PctRangeString(),
			Human(r.New.Center, unit), r.New.PctRangeString(),
			r.Test.FormatDelta(r.Old.Center, r.New.Center), r.Test.String(),
		}
		if r.Exact { // a count needs no interval, and its difference no percent
			row[2], row[4] = "", ""
			row[5], row[6] = fmt.Sprintf("%+g", r.New.Center-r.Old.Center), "exact "+row[6]
		}
		if r.Word == "~" {
			row[5] = r.Word
		} else {
			row[5] += " " + r.Word
		}
		t.Rows = append(t.Rows, row)
		for _, w := range r.Test.Warnings {
			if !warned[w.Error()] {
				warned[w.Error()] = true
				t.Notes = append(t.Notes, w.Error())
			}
		}
	}
	if m, ok := geomean(rows); ok && IsTime(unit) {
		change := fmt.Sprintf("%+.2f%%", 100*m.Delta)
		test := "no interval"
		if m.HasInterval() {
			change += fmt.Sprintf(" [%+.2f%%..%+.2f%%]", 100*m.Lo, 100*m.Hi)
			test = "95 %"
		}
		t.Rows = append(t.Rows, []string{fmt.Sprintf("geomean of %d benchmarks", m.Benchmarks), "", "", "", "", change, test})
	}
	t.dropEmpty()
	return t
}
