package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results"
)

// WriteText writes the report as a table for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.title())
	if len(r.Lines) == 0 {
		fmt.Fprintln(&b, strings.Join(r.sentences(), "\n"))
		_, err := io.WriteString(w, b.String())
		return err
	}
	short, same := r.names()
	if same != "" {
		fmt.Fprintf(&b, "%s\n", same)
	}
	t := &results.Table{Title: "", Columns: []string{"benchmark", "base", r.armHead(), "change", "95 %", "of means", "n", "floor", "would show", "verdict"}}
	for i, l := range r.Lines {
		t.Rows = append(t.Rows, l.cells(short[i]))
	}
	t.DropEmpty()
	b.WriteString(strings.TrimPrefix(t.String(), "\n"))
	for _, n := range r.notes() {
		fmt.Fprintln(&b, n)
	}
	fmt.Fprintf(&b, "\n%s\n", strings.Join(r.sentences(), "\n"))
	_, err := io.WriteString(w, b.String())
	return err
}

// title says what is compared.
func (r *Report) title() string {
	if len(r.Arms) == 1 {
		return fmt.Sprintf("%s, compared with %s", r.Arms[0], r.Base)
	}
	return fmt.Sprintf("%d arms, compared with %s", len(r.Arms), r.Base)
}

func (r *Report) armHead() string {
	if len(r.Arms) == 1 {
		return "new"
	}
	return "arm"
}

// names returns the lines' names without the keys that all have in common, and these keys.
func (r *Report) names() (short []string, same string) {
	count := map[string]int{}
	for _, l := range r.Lines {
		for _, part := range strings.Split(l.Name, "/")[1:] {
			count[part]++
		}
	}
	var common []string
	for _, l := range r.Lines {
		parts := strings.Split(l.Name, "/")
		name := parts[0]
		for _, part := range parts[1:] {
			if count[part] < len(r.Lines) {
				name += "/" + part
			} else if !slices.Contains(common, part) {
				common = append(common, part)
			}
		}
		if !l.Gate {
			name += " [" + results.HumanUnit(l.Unit) + "]"
		}
		if len(r.Arms) > 1 {
			name += ": " + l.Arm
		}
		short = append(short, name)
	}
	return short, strings.Join(common, " ")
}

// cells are a line's row of the table.
func (l *Line) cells(name string) []string {
	row := []string{name, "", "", "", "", "", "", "", "", l.verdict()}
	if l.Base.N > 0 {
		row[1], row[2] = results.Human(l.Base.Median, l.Unit), results.Human(l.Other.Median, l.Unit)
	}
	if l.test == nil || l.N == 0 {
		return row
	}
	row[3] = l.change(l.Ratio)
	row[4] = fmt.Sprintf("[%s..%s]", l.change(l.Lo), l.change(l.Hi))
	if l.waits() {
		row[5] = l.change(l.Other.Mean / l.Base.Mean)
	}
	row[6] = fmt.Sprint(l.N)
	row[7], row[8] = l.share(l.Floor), l.share(l.Detectable)
	return row
}

// verdict is the word, and why.
func (l *Line) verdict() string {
	if l.Why == "" {
		return string(l.Word)
	}
	return string(l.Word) + ": " + l.Why
}

// change words a ratio: in percent if it is between 1/2 and 2, and else as a factor. Infinite
// bounds are those of units too few for an interval.
func (l *Line) change(ratio float64) string {
	switch {
	case math.IsNaN(ratio):
		return "–"
	case l.Linear && math.IsInf(ratio, 0), ratio == 0, math.IsInf(ratio, 1):
		return "?"
	case l.Linear:
		return fmt.Sprintf("%+.3g", ratio)
	case ratio < 0.5 || ratio > 2:
		return results.Factor(ratio) + "x"
	}
	return fmt.Sprintf("%+.2f%%", 100*(ratio-1))
}

// share words a floor or a least change.
func (l *Line) share(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "none"
	case l.Linear:
		return fmt.Sprintf("%.3g", v)
	case v > 1:
		return results.Factor(1+v) + "x"
	}
	return fmt.Sprintf("%.2f%%", 100*v)
}

// notes explain the table.
func (r *Report) notes() []string {
	notes := []string{
		"change: of the medians' ratio (Hodges-Lehmann); n: " + r.counted() + ".",
		"floor: how far apart the same thing measured twice is here; would show: the change found with 80 % probability.",
		"inconclusive: no change was shown, and none was ruled out. equal: shown to be within 1 %, or the floor if that is larger.",
	}
	if slices.ContainsFunc(r.Lines, (*Line).waits) {
		notes = append(notes, "of means: the change of the means, where an operation waits for grace periods. These come in ticks, which a median may hide.")
	}
	return notes
}

// waits reports whether an operation of the line waits for grace periods.
func (l *Line) waits() bool {
	return slices.ContainsFunc(l.Counts, func(c Count) bool { return c.Unit == firstCounts[0] && (c.Base > 0 || c.Other > 0) })
}

// counted says what n counts.
func (r *Report) counted() string {
	var of []string
	for _, l := range r.Lines {
		if l.Of != "" && !slices.Contains(of, l.Of) {
			of = append(of, l.Of)
		}
	}
	return strings.Join(of, ", or ")
}

// sentences sum the report up.
func (r *Report) sentences() []string {
	var list []string
	if c := r.Common; c != nil {
		list = append(list, fmt.Sprintf("machine or session: %s [%s..%s], which all %d benchmarks have in common; only what departs from it counts",
			percent(c.Ratio), percent(float64(c.Lo)), percent(float64(c.Hi)), c.Groups))
	}
	list = append(list, r.Safety...)
	if r.Whole == SameCode {
		return []string{"same code: both have the same machine code and data but for line tables and version stamps; nothing was measured"}
	}
	for _, v := range r.Arm {
		list = append(list, fmt.Sprintf("%s: %s (%s)", v.Arm, v.Word, tally(v.Lines)))
	}
	for _, l := range r.Lacks {
		list = append(list, l)
	}
	return list
}

func percent(ratio float64) string { return (&Line{}).change(ratio) }

// tally says how many lines have each word.
func tally(words map[Word]int) string {
	var parts []string
	for _, w := range order {
		if n := words[w]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, w))
		}
	}
	if len(parts) == 0 {
		return "no line"
	}
	return strings.Join(parts, ", ")
}
