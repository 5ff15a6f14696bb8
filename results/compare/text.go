package compare

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// WriteText writes the report as a table for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.title())
	if len(r.Lines) > 0 {
		if r.long() {
			fmt.Fprintf(&b, "%s%s\n\n", strings.TrimPrefix(r.matrix().String(), "\n"), marksNote)
		}
		if t, same := r.table(); len(t.Rows) > 0 {
			if same != "" {
				fmt.Fprintf(&b, "all lines: %s\n", same)
			}
			b.WriteString(strings.TrimPrefix(t.String(), "\n"))
		}
		fmt.Fprintf(&b, "%s\n\n", strings.Join(r.notes(), "\n"))
	}
	fmt.Fprintln(&b, strings.Join(r.sentences(), "\n"))
	return writeVisible(w, b.String())
}

// writeVisible writes lines, with what a terminal would not show as text made visible.
func writeVisible(w io.Writer, text string) error {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = results.Visible(line)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

// table returns the lines as a table without empty columns, and the keys that all have in common.
func (r *Report) table() (t *results.Table, same string) {
	lines := r.shown()
	short, same := names(lines, len(r.Arms) > 1)
	base := "base"
	if len(r.Arms) > 1 && r.Chain != nil {
		base = "before"
	}
	t = &results.Table{Columns: []string{"benchmark", base, r.armHead(), "change", "95 %", "of means", "n", "floor", "would show", "verdict", "counts that differ"}}
	for i, l := range lines {
		t.Rows = append(t.Rows, l.cells(short[i]).row())
	}
	t.DropEmpty()
	return t, same
}

// title says what is compared.
func (r *Report) title() string {
	arms := fmt.Sprintf("%d arms, compared with %s", len(r.Arms), r.Base)
	switch {
	case r.Chain != nil:
		arms = fmt.Sprintf("%d arms, each compared with the one before it", len(r.Chain))
	case len(r.Arms) == 1:
		arms = fmt.Sprintf("%s, compared with %s", r.Arms[0].Arm, r.Base)
	}
	if kind := timeOf(r.Facts); kind != "" {
		return fmt.Sprintf("%s, in %s time", arms, kind)
	}
	return arms
}

func (r *Report) armHead() string {
	if len(r.Arms) == 1 {
		return "new"
	}
	return "arm"
}

// names returns the lines' names without the keys that all have in common, and these keys. With arms, a name has its arm.
func names(lines []*Line, arms bool) (short []string, same string) {
	// The configuration in a name, after a space, is one part, though it may have a '/'.
	parts := func(l *Line) []string {
		name, config, found := strings.Cut(l.Name, " ")
		list := strings.Split(name, "/")
		if found {
			list = append(list, " "+config)
		}
		return list
	}
	count := map[string]int{}
	for _, l := range lines {
		for _, part := range slices.Compact(slices.Sorted(slices.Values(parts(l)[1:]))) {
			count[part]++
		}
	}
	var common []string
	for _, l := range lines {
		name := ""
		for i, part := range parts(l) {
			switch {
			case i == 0:
				name = part
			case count[part] == len(lines):
				if part = strings.TrimSpace(part); !slices.Contains(common, part) {
					common = append(common, part)
				}
			case strings.HasPrefix(part, " "):
				name += part
			default:
				name += "/" + part
			}
		}
		if !l.main {
			name += " [" + results.HumanUnit(l.Unit) + "]"
		}
		if arms {
			name += ": " + l.Arm
		}
		short = append(short, results.Visible(name))
	}
	return short, strings.Join(common, " ")
}

// cells are what a report shows of a line, each as text. One that is empty says nothing.
type cells struct {
	name, base, other, change, interval, means, n, floor, wouldShow, verdict, counts string
}

// row is the line of a table.
func (c cells) row() []string {
	return []string{c.name, c.base, c.other, c.change, c.interval, c.means, c.n, c.floor, c.wouldShow, c.verdict, c.counts}
}

func (l *Line) cells(name string) cells {
	c := cells{name: name, verdict: l.verdict()}
	if l.From != "" {
		c.counts = explained(l.Counts)
	}
	if l.Base.N > 0 {
		c.base, c.other = results.Human(l.Base.Median, l.Unit), results.Human(l.Other.Median, l.Unit)
	}
	if l.test == nil || l.N == 0 {
		return c
	}
	c.change = l.change(l.Ratio)
	c.interval = fmt.Sprintf("[%s..%s]", l.change(l.Lo), l.change(l.Hi))
	if l.waits() {
		c.means = l.change(l.Other.Mean / l.Base.Mean)
	}
	c.n = fmt.Sprint(l.N)
	if !math.IsNaN(l.Floor) {
		c.floor = l.share(l.Floor)
	}
	c.wouldShow = l.share(l.Detectable)
	return c
}

// explained names the counts that differ, each before and after.
func explained(counts []Count) string {
	var parts []string
	for _, c := range counts {
		if before, after := c.number(c.Base), c.number(c.Other); before != after {
			parts = append(parts, fmt.Sprintf("%s %s -> %s", strings.TrimSuffix(c.Unit, "/op"), before, after))
		}
	}
	return strings.Join(parts, ", ")
}

// number words a count, or a mean of counts.
func (c Count) number(v float64) string {
	if v != math.Trunc(v) && v < 1000 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return results.Human(math.Round(v), c.Unit)
}

// verdict is the word, and why.
func (l *Line) verdict() string {
	if l.Why == "" {
		return string(l.Word)
	}
	return string(l.Word) + ": " + l.Why
}

// change words a ratio: in percent, or as a factor if the line's ratio or a bound of it is below 1/2 or above 2.
// Infinite bounds are those of units too few for an interval.
func (l *Line) change(ratio float64) string {
	switch {
	case math.IsNaN(ratio):
		return "–"
	case math.IsInf(ratio, 0), !l.Linear && ratio == 0:
		return "?"
	case l.Linear:
		return fmt.Sprintf("%+.3g", ratio)
	case far(ratio) || far(l.Ratio) || far(l.Lo) || far(l.Hi):
		return results.Factor(ratio) + "x"
	}
	return fmt.Sprintf("%+.2f%%", 100*(ratio-1))
}

// far reports whether a ratio is one that percents do not show well.
func far(ratio float64) bool {
	return ratio > 0 && ratio < 0.5 || ratio > 2 && !math.IsInf(ratio, 1)
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
	floor := ""
	if slices.ContainsFunc(r.Lines, func(l *Line) bool { return !math.IsNaN(l.Floor) }) {
		floor = "floor: how far apart the same thing measured twice is here; "
		if r.sessions {
			floor = "floor: how far benchmarks differ among themselves; "
		}
		if r.Chain != nil {
			floor = fmt.Sprintf("floor: how far %s differs from itself, measured twice; ", r.Base)
		}
	}
	var notes []string
	if n := len(r.Lines) - len(r.shown()); n > 0 {
		notes = append(notes, fmt.Sprintf("%d lines without a change are not shown; --csv has them.", n))
	}
	notes = append(notes,
		"change: the centre of the "+cmp.Or(r.counted(), "samples")+" (Hodges-Lehmann), of which there are n; 95 %: its interval.",
		floor+"would show: the change that is found with 80 % probability.",
		"inconclusive: no change was shown, and none was ruled out.",
		fmt.Sprintf("equal: shown to be within %g %%, or the floor if that is larger, but not above %g %%.", 100*r.margin, 100*max(r.margin, mostMargin)),
	)
	if slices.ContainsFunc(r.Lines, func(l *Line) bool { return l.Widened > 1 }) {
		notes = append(notes, "95 %: wider, as the tests are, by how much successive blocks resemble each other.")
	}
	if least := stat.LeastSamples(r.Alpha / float64(max(1, r.Family))); r.Chain != nil && slices.ContainsFunc(r.Lines, func(l *Line) bool { return l.Gate && l.test != nil && l.N < least }) {
		notes = append(notes, fmt.Sprintf("%s of an arm are too few: %d lines together need %d.", r.counted(), r.Family, least))
	}
	if r.Alpha < Level {
		notes = append(notes, fmt.Sprintf("The run could stop early: intervals and tests have a level of %.3g %% here, which makes 95 %% of all looks together.", 100*(1-r.Alpha)))
	}
	if r.sessions {
		notes = append(notes, "Two sessions: a machine may slow down some benchmarks more than others, which looks like a change; tpbench ab tells these apart.")
	}
	if slices.ContainsFunc(r.Lines, func(l *Line) bool { return l.Why == fewOthers }) {
		notes = append(notes, fmt.Sprintf("%s: with fewer than three others to know the machine by, only a change above %gx counts.", fewOthers, mostDrift))
	}
	if isVirtual(r.Facts) {
		notes = append(notes, virtualNote)
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
	if r.Whole == SameCode {
		return []string{"same code: both have the same machine code and data but for line tables and version stamps; nothing was measured"}
	}
	var list []string
	if c := r.Common; c != nil {
		list = append(list, fmt.Sprintf("machine or session: %s [%s..%s], which all %d benchmarks have in common; only what departs from it counts",
			percent(float64(c.Ratio)), percent(float64(c.Lo)), percent(float64(c.Hi)), c.Groups))
	}
	list = append(list, r.Safety...)
	for _, v := range r.Arms {
		list = append(list, fmt.Sprintf("%s: %s (%s)", v.Arm, v.Word, tally(v.Lines)))
	}
	return append(list, r.Lacks...)
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
