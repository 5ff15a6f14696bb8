package results

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tpbench/tpbench/results/stat"
)

// A Table is a table of text. Every row has a cell for every column; an empty
// cell is "".
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
	Notes   []string // below the table, one per line

	// What spread has printed, for finish: intervals, and ranges of so few samples.
	intervals bool
	few       []int
}

// String is the table's text with aligned columns: to the right where all cells
// begin with a digit, '–', '+' or '-', to the left otherwise. An empty line ends it.
func (t *Table) String() string {
	width, left := make([]int, len(t.Columns)), make([]bool, len(t.Columns))
	for i, c := range t.Columns {
		width[i] = utf8.RuneCountInString(c)
		for _, row := range t.Rows {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
			r, _ := utf8.DecodeRuneInString(row[i])
			left[i] = left[i] || row[i] != "" && !strings.ContainsRune("0123456789–+-", r)
		}
	}
	var b strings.Builder
	fmt.Fprintln(&b, t.Title)
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if left[i] {
				cell += pad
			} else {
				cell = pad + cell
			}
			line.WriteString("  " + cell)
		}
		fmt.Fprintln(&b, strings.TrimRight(line.String(), " "))
	}
	for _, n := range t.Notes {
		fmt.Fprintln(&b, "  "+n)
	}
	fmt.Fprintln(&b)
	return b.String()
}

// DropEmpty removes the columns that have no cell.
func (t *Table) DropEmpty() {
	for i := len(t.Columns) - 1; i >= 0; i-- {
		if slices.ContainsFunc(t.Rows, func(row []string) bool { return row[i] != "" }) {
			continue
		}
		t.Columns = slices.Delete(t.Columns, i, i+1)
		for j, row := range t.Rows {
			t.Rows[j] = slices.Delete(row, i, i+1)
		}
	}
}

// spread prints a median and its bounds: [lo..hi] is the 95 % interval,
// (lo..hi) the range of samples too few for one; a constant has no bounds. The
// unit is not repeated. What the brackets mean is noted for finish.
func (t *Table) spread(s stat.Summary, format func(float64) string) string {
	center, lo, hi, brackets := format(s.Center), s.Lo, s.Hi, "[]"
	if s.Min == s.Max {
		return center
	}
	if s.HasInterval() {
		t.intervals = true
	} else {
		lo, hi, brackets = s.Min, s.Max, "()"
		if !slices.Contains(t.few, s.N) {
			t.few = append(t.few, s.N)
		}
	}
	_, unit, _ := strings.Cut(center, " ")
	low, high := format(lo), format(hi)
	if strings.HasSuffix(low, " "+unit) && strings.HasSuffix(high, " "+unit) {
		low, high = strings.TrimSuffix(low, " "+unit), strings.TrimSuffix(high, " "+unit)
	}
	return center + " " + brackets[:1] + low + ".." + high + brackets[1:]
}

// finish drops empty columns, and adds notes on the table's samples and on the brackets that
// spread has put into it.
func (t *Table) finish(ss Samples) {
	t.DropEmpty()
	if n := ss.Disturbed(); n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("a neighbour shared the core in %d of %d samples", n, len(ss)))
	}
	if t.intervals {
		t.Notes = append(t.Notes, "[lo..hi]: 95 % interval of the median")
	}
	if len(t.few) > 0 {
		slices.Sort(t.few)
		var held []string
		for _, n := range t.few {
			held = append(held, fmt.Sprintf("%.3g %% (n=%d)", 100*stat.RangeHolds(n), n))
		}
		t.Notes = append(t.Notes, "(lo..hi): all samples, fewer than the 6 that a 95 % interval needs; it holds the median at "+strings.Join(held, ", "))
	}
}
