package compare

import (
	"slices"

	"github.com/tpbench/tpbench/results"
)

// A chain of many arms has hundreds of lines. So its text shows the medians of all as a matrix, and of the lines only
// those with a change; --json and --csv have all.

// long reports whether the report is of a chain of so many arms.
func (r *Report) long() bool { return len(r.Chain) > 2 }

// shown returns the lines that a text has.
func (r *Report) shown() []*Line {
	if !r.long() {
		return r.Lines
	}
	return slices.DeleteFunc(slices.Clone(r.Lines), func(l *Line) bool { return marks[l.Word] != higher && marks[l.Word] != lower })
}

// marks are what a cell of a matrix has behind the median.
var marks = map[Word]string{Worse: higher, Slower: higher, Changed: higher, Inconclusive: "?", Equal: "=", Faster: lower, Better: lower}

const (
	higher = "▲"
	lower  = "▼"

	marksNote = "▲ slower, ▼ faster, = equal, ? inconclusive: than the arm before it."
)

// matrix returns a chain as a table with a row for each benchmark and a column for each arm: the median, and the mark of the
// verdict.
func (r *Report) matrix() *results.Table {
	t := &results.Table{Columns: append([]string{"benchmark"}, results.ShortArms(r.Chain)...)}
	rows := map[string][]string{}
	set := func(l *Line, arm, text string) {
		row := rows[l.Name]
		if row == nil {
			row = make([]string, len(t.Columns))
			row[0] = results.Visible(l.Name)
			rows[l.Name] = row
			t.Rows = append(t.Rows, row)
		}
		if at := 1 + slices.Index(r.Chain, arm); row[at] == "" {
			row[at] = text
		}
	}
	for _, l := range r.Lines { // the lines of a benchmark are in the order of the arms
		if l.main && l.Base.N > 0 {
			set(l, l.From, results.Human(l.Base.Median, l.Unit))
			set(l, l.Arm, results.Human(l.Other.Median, l.Unit)+" "+marks[l.Word])
		}
	}
	return t
}
