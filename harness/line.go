package harness

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// disturbedWord ends the comment line of a disturbed sample.
const disturbedWord = " disturbed"

// lines returns the sample as a file has it: a comment line and a benchmark line.
func (s *sample) lines(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# sample at %s tried %d kept %d shared %d", s.at.UTC().Format("2006-01-02T15:04:05.000Z"), s.tried, s.kept, s.shared)
	if s.disturbed() {
		b.WriteString(disturbedWord)
	}
	fmt.Fprintf(&b, "\nBenchmark%s %d", name, s.ops)
	for _, v := range s.values {
		fmt.Fprintf(&b, " %s %s", formatValue(v.V), v.Unit)
	}
	b.WriteByte('\n')
	return b.String()
}

// perOp returns a phase as values of the sample's line: its time for one of ops operations, the
// sums of its counts, and its rate.
func perOp(op *Op, nsPerOp float64, sum phase, ops int, rate float64) []Value {
	values := []Value{{"ns/op", nsPerOp}}
	for _, d := range op.Divide {
		values = append(values, Value{"ns/" + d.Unit, nsPerOp / float64(d.N)})
	}
	for _, c := range sum.counts {
		values = append(values, Value{c.Unit + "/op", float64(c.N) / float64(ops)})
	}
	if sum.rated.Unit != "" {
		values = append(values, Value{"M" + sum.rated.Unit + "/s", rate})
	}
	return values
}

// formatValue writes six significant digits, or all digits of a large whole number, without
// an exponent.
func formatValue(v float64) string {
	const digits, whole = 6, 1e6
	if v < whole {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	} else {
		v = math.Round(v)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// firstLine returns the first line that a dying worker printed, for a comment line.
func firstLine(stderr string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	if line == "" {
		return ""
	}
	return ": " + oneLine(line)
}

// stacks returns the first lines that Go's runtime prints about goroutines when a worker gets
// SIGQUIT.
func stacks(stderr string) string {
	const enough = 12 // lines
	_, text, found := strings.Cut(stderr, "\ngoroutine ")
	if !found {
		return "unknown"
	}
	lines := strings.SplitN("goroutine "+text, "\n", enough+1)
	return strings.Join(lines[:min(enough, len(lines))], "\n")
}

// oneLine replaces what a comment line cannot hold.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "))
}
