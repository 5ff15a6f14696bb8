package compare

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tpbench/tpbench/results"
)

// reports are reports of several kinds, by name.
func reports(t *testing.T) map[string]*Report {
	r := rand.New(rand.NewPCG(3, 3))
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 1.05}, lines: 4, rounds: 13, noise: normal(r, 0.002), head: "arm-a: main (1a2b3c4)\narm-b: topic (5d6e7f8)\nlooks: 5 10 20 40\n"}
	w.counts = func(arm, _ int) string { return " 2 gp-waits/op 1 core-syncs/op" }
	usual := strings.ReplaceAll(w.with(tortured("impl=batched/arm=A", 3, 0), tortured("impl=batched/arm=B", 3, 1)), "BenchmarkOp", "BenchmarkDisableAll/impl=batched/gp=memb/events=1000/probes=1/readers=")
	few := twoArms(1, 1, 3)
	zeros := strings.Repeat("BenchmarkX/arm=A 1 0 ns/op\nBenchmarkX/arm=B 1 3 ns/op\n", 8)
	old, new := two(1, 12, 10, 1.02, only(1.1, 4))
	one, other := two(1, 1, 10, 1, same)
	list := map[string]*Report{
		"usual":         compared(t, read(t, usual), ArmKey, ArmA),
		"few":           compared(t, few.set(t), ArmKey, ArmA),
		"zeros":         compared(t, read(t, zeros), ArmKey, ArmA),
		"sessions":      sessions(t, old, strings.Replace(new, "BenchmarkOp3-", "BenchmarkNew-", 10)),
		"one benchmark": sessions(t, one, other),
		"same code":     Same("main (1a2b3c4)", "topic (5d6e7f8)"),
		"hostile":       hostile(t),
	}
	for _, r := range list {
		r.Command = "tpbench ab main topic --bench DisableAll --impl batched --gp memb --events 1000 --readers 0,1 -o a-file.txt"
	}
	return list
}

// hostile has names, units and facts that mean something to whatever shows them.
func hostile(t *testing.T) *Report {
	text := "arm-a: <b>*A*</b> @everyone\narm-b: \x1b[31m|`x`\n"
	for i := range 7 {
		for _, arm := range []string{"A", "B"} {
			text += "BenchmarkX|`y`_<i>[l](http://e)\"q,\\|/k=#1,~~s~~/arm=" + arm + " 1 " + itoa(10+i) + " ns/op " + itoa(i%3) + " <u>|\n"
			text += "BenchmarkZ,\"/arm=" + arm + " 1 " + itoa(10+i) + " ns/op\n"
		}
	}
	return compared(t, read(t, text), ArmKey, ArmA)
}

// If this fails, an output has text in it that a terminal, a browser or a parser does not take for text, or says
// "no difference" where none was shown.
func TestOutputsAreText(t *testing.T) {
	for name, r := range reports(t) {
		for form, write := range map[string]string{"text": written(t, r.WriteText), "markdown": written(t, r.WriteMarkdown), "mail": written(t, r.WriteMail), "JSON": written(t, r.WriteJSON), "CSV": written(t, r.WriteCSV)} {
			if strings.Contains(strings.ToLower(write), "no difference") || strings.Contains(write, "NaN") || strings.Contains(write, "Inf") || strings.Contains(write, "%!") {
				t.Errorf("%s, %s: has a word that it must not have:\n%s", name, form, write)
			}
			if !utf8.ValidString(write) || !strings.HasSuffix(write, "\n") {
				t.Errorf("%s, %s: is no text with whole lines", name, form)
			}
			for _, c := range write {
				if c != '\n' && !unicode.IsPrint(c) && form != "CSV" {
					t.Errorf("%s, %s: has the character %U", name, form, c)
					break
				}
			}
			if form != "CSV" && !strings.Contains(write, string(r.Whole)) {
				t.Errorf("%s, %s: does not have the verdict %s:\n%s", name, form, r.Whole, write)
			}
		}
	}
}

// If this fails, a terminal breaks the table's lines, or a mail has lines that a list does not like.
func TestOutputWidths(t *testing.T) {
	for name, r := range reports(t) {
		if name == "hostile" {
			continue
		}
		for line := range strings.Lines(written(t, r.WriteText)) {
			if n := utf8.RuneCountInString(line); n > 131 {
				t.Errorf("%s: a line of the table has %d columns:\n%s", name, n-1, line)
			}
		}
		for line := range strings.Lines(written(t, r.WriteMail)) {
			if n := utf8.RuneCountInString(line); n > 73 && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, r.Command) {
				t.Errorf("%s: a line of the mail has %d columns:\n%s", name, n-1, line)
			}
		}
	}
}

// If this fails, markup in a name is markup in a pull request, or a name ends a cell.
func TestMarkdownIsEscaped(t *testing.T) {
	r := hostile(t)
	text := written(t, r.WriteMarkdown)
	if bad := regexp.MustCompile("(^|[^\\\\])[*`~_#\\[\\]$]|[<>@]").FindString(regexp.MustCompile(`(?m)^### |\*\*$|: \*\*|&#64;`).ReplaceAllString(text, "")); bad != "" {
		t.Errorf("%q is markup in\n%s", bad, text)
	}
	cells := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, ""), "|")
		if cells == 0 {
			cells = n
		}
		if n != cells {
			t.Errorf("got %d bars, want %d in\n%s", n, cells, line)
		}
	}
	if got := markdown(`\|&<a>`); got != `\\\|&amp;&lt;a&gt;` {
		t.Errorf("got %s", got)
	}
}

// If this fails, a program that reads the report reads something else than it says.
func TestJSONSaysWhatTheReportSays(t *testing.T) {
	for name, r := range reports(t) {
		var back struct {
			Verdict string
			Family  int `json:"gate_family"`
			Level   float64
			Arms    []Verdict
			Common  *struct{ Ratio *float64 } `json:"machine_or_session"`
			Lines   []struct {
				Benchmark, Arm, Unit, Verdict, Why string
				Gate, Difference                   bool
				N                                  int
				Ratio, Lo, Hi, P, Floor            *float64
				Adjusted                           *float64 `json:"p_adjusted"`
				Detectable                         *float64
				Counts                             []Count
			}
			Safety, Lacks, Warnings []string
		}
		text := written(t, r.WriteJSON)
		if err := json.Unmarshal([]byte(text), &back); err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, text)
		}
		if back.Verdict != string(r.Whole) || back.Family != r.Family || back.Level != r.Alpha || len(back.Lines) != len(r.Lines) || len(back.Arms) != len(r.Arms) || (back.Common == nil) != (r.Common == nil) {
			t.Errorf("%s: got %+v", name, back)
		}
		if regexp.MustCompile(`: null`).MatchString(strings.ReplaceAll(text, `"machine_or_session": null`, "")) != slices.ContainsFunc(r.Lines, func(l *Line) bool { return l.test == nil || l.N < 6 || l.Why == fewOthers }) && name != "hostile" {
			t.Errorf("%s: null stands where something is known, or not where it is unknown:\n%s", name, text)
		}
		for i, l := range back.Lines {
			want := r.Lines[i]
			if l.Benchmark != want.Name && name != "hostile" || l.Verdict != string(want.Word) || l.Why != want.Why && name != "hostile" || l.Gate != want.Gate || l.N != want.N || l.Difference != want.Linear || len(l.Counts) != len(want.Counts) {
				t.Errorf("%s: got %+v, want %+v", name, l, want)
			}
			for _, f := range []struct {
				got  *float64
				want float64
			}{{l.Ratio, want.Ratio}, {l.Lo, want.Lo}, {l.Hi, want.Hi}, {l.P, want.P}, {l.Adjusted, want.Adjusted}, {l.Floor, want.Floor}, {l.Detectable, want.Detectable}} {
				if none := number(f.want); (f.got == nil) != (cell(none) == "" || want.test == nil) || f.got != nil && *f.got != f.want {
					t.Errorf("%s: got %v, want %v", name, f.got, f.want)
				}
			}
		}
	}
}

// If this fails, a spreadsheet has cells in wrong columns.
func TestCSVHasEqualRows(t *testing.T) {
	for name, r := range reports(t) {
		rows, err := csv.NewReader(strings.NewReader(written(t, r.WriteCSV))).ReadAll()
		if err != nil || len(rows) != 1+len(r.Lines) {
			t.Fatalf("%s: got %d rows and %v, want %d", name, len(rows), err, 1+len(r.Lines))
		}
		for i, row := range rows[1:] {
			if row[0] != r.Lines[i].Name || row[4] != string(r.Lines[i].Word) || row[slices.Index(rows[0], "n")] != itoa(r.Lines[i].N) || row[slices.Index(rows[0], "p")] != cell(r.Lines[i].record().P) {
				t.Errorf("%s: got %q", name, row)
			}
		}
	}
}

// If this fails, the table says a number wrong: as a percent where it is a factor, or a bound where there is none.
func TestNumbersInWords(t *testing.T) {
	l, linear := &Line{}, &Line{Linear: true}
	inf := math.Inf
	for _, c := range []struct{ got, want string }{
		{l.change(1.0123), "+1.23%"}, {l.change(0.9), "-10.00%"}, {l.change(2), "+100.00%"}, {l.change(3), "3.00x"}, {l.change(0.25), "0.25x"},
		{l.change(0), "?"}, {l.change(inf(1)), "?"}, {linear.change(0.5), "+0.5"}, {linear.change(-3), "-3"}, {linear.change(inf(-1)), "?"},
		{l.share(0.0123), "1.23%"}, {l.share(inf(1)), "none"}, {l.share(1.5), "2.50x"}, {linear.share(3), "3"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

// If this fails, the bounds of one interval are percents and factors.
func TestOneFormInALine(t *testing.T) {
	l := &Line{Ratio: 0.54, Lo: 0.44, Hi: 0.67}
	for _, v := range []float64{l.Ratio, l.Lo, l.Hi} {
		if got := l.change(v); !strings.HasSuffix(got, "x") {
			t.Errorf("%v in [0.44..0.67] is %s, want a factor", v, got)
		}
	}
	l = &Line{Ratio: 1.1, Lo: math.Inf(-1), Hi: math.Inf(1)}
	if got := l.change(l.Ratio); got != "+10.00%" {
		t.Errorf("1.1 without bounds is %s", got)
	}
}

// If this fails, names lose what tells them apart, or repeat what all have in common.
func TestNamesInTheTable(t *testing.T) {
	lines := []*Line{{Name: "X/gp=memb/n=1 pkg:e.org/x", main: true}, {Name: "X/gp=memb/n=2 pkg:e.org/y", main: true}, {Name: "Y/gp=memb/gp=memb", Unit: "sec/op"}}
	short, same := names(lines, false)
	if want := []string{"X/n=1 pkg:e.org/x", "X/n=2 pkg:e.org/y", "Y [" + results.HumanUnit("sec/op") + "]"}; !slices.Equal(short, want) || same != "gp=memb" {
		t.Errorf("got %q and %q in common, want %q and gp=memb", short, same, want)
	}
}
