package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var mirror = map[Word]Word{Slower: Faster, Faster: Slower, Worse: Better, Better: Worse, Equal: Equal, Inconclusive: Inconclusive, Changed: Changed}

// near reports whether two numbers are the same but for rounding. What is not a number is near itself.
func near(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// checkMirrored fails unless two reports say the opposite of each other.
func checkMirrored(t *testing.T, r, back *Report) {
	t.Helper()
	if len(r.Lines) != len(back.Lines) || len(r.Lines) == 0 {
		t.Fatalf("got %d lines, and %d with the sides swapped", len(r.Lines), len(back.Lines))
	}
	for i, l := range r.Lines {
		b := back.Lines[i]
		switch {
		case l.Name != b.Name || l.Unit != b.Unit || b.Word != mirror[l.Word]:
			t.Errorf("%s [%s]: got %s, and %s of %s with the sides swapped", l.Name, l.Unit, l.Word, b.Word, b.Name)
		case l.test == nil:
		case !l.Linear && !(near(l.Ratio*b.Ratio, 1) && near(l.Lo*b.Hi, 1) && near(l.Hi*b.Lo, 1)) && !math.IsInf(l.Hi, 1):
			t.Errorf("%s [%s]: got %v [%v, %v], and %v [%v, %v] with the sides swapped", l.Name, l.Unit, l.Ratio, l.Lo, l.Hi, b.Ratio, b.Lo, b.Hi)
		case l.Linear && !(near(l.Ratio, -b.Ratio) && near(l.Lo, -b.Hi) && near(l.Hi, -b.Lo)):
			t.Errorf("%s [%s]: got %v [%v, %v], and %v [%v, %v] with the sides swapped", l.Name, l.Unit, l.Ratio, l.Lo, l.Hi, b.Ratio, b.Lo, b.Hi)
		case !near(l.Detectable, b.Detectable) || !near(l.P, b.P) || !near(l.Margin, b.Margin):
			t.Errorf("%s [%s]: got P %v, margin %v and %v detectable, and %v, %v and %v with the sides swapped", l.Name, l.Unit, l.P, l.Margin, l.Detectable, b.P, b.Margin, b.Detectable)
		}
	}
}

// If this fails, which side is called the base decides about the verdict.
func TestSidesSwapped(t *testing.T) {
	for seed, by := range []float64{1, 1.004, 1.02, 1 / 1.3, 2} {
		w := twoArms(uint64(seed), by, 13).withCounts(" 3 MB/s 1 gp-waits/op 0 rest", " 4 MB/s 1 gp-waits/op 0 rest")
		zero := 0
		counts := w.counts
		w.counts = func(arm, round int) string {
			zero++
			return counts(arm, round) + fmt.Sprintf(" %d zeros %d odd", (zero+arm)%3, 3+zero%2+arm)
		}
		set := w.set(t)
		checkMirrored(t, compared(t, set, ArmKey, "A"), compared(t, set, ArmKey, "B"))

		old, new := two(uint64(seed), 9, 10, 1.05, only(by, 3))
		old, new = strings.ReplaceAll(old, "ns/op", "ns/op 3 B/op"), strings.ReplaceAll(new, "ns/op", "ns/op 4 B/op")
		old = strings.Replace(old, "BenchmarkOp5", "BenchmarkOnlyOld", 10)
		checkMirrored(t, sessions(t, old, new), sessions(t, new, old))
	}
}

// figures is all that a report says in numbers and words.
func figures(t *testing.T, r *Report) string {
	return strings.ReplaceAll(written(t, r.WriteJSON), r.Base, "BASE")
}

// shuffled puts the benchmark lines of a text into another order.
func shuffled(r *rand.Rand, text string) string {
	lines := strings.Split(text, "\n")
	var at []int
	for i, line := range lines {
		if strings.HasPrefix(line, "Benchmark") {
			at = append(at, i)
		}
	}
	r.Shuffle(len(at), func(i, j int) { lines[at[i]], lines[at[j]] = lines[at[j]], lines[at[i]] })
	return strings.Join(lines, "\n")
}

// If this fails, the order of lines in a file of another program decides about something.
func TestForeignLinesShuffled(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	old, new := two(1, 12, 10, 1.02, only(1.1, 4))
	want := figures(t, sessions(t, old, new))
	arms := strings.ReplaceAll(old, "-8 ", "/impl=c-8 ") + strings.ReplaceAll(new, "-8 ", "/impl=b-8 ") + strings.ReplaceAll(old, "-8 ", "/impl=a-8 ")
	within := figures(t, compared(t, read(t, arms), "impl", "b"))
	for range 5 {
		if got := figures(t, sessions(t, shuffled(r, old), shuffled(r, new))); got != want {
			t.Fatalf("the lines of two files shuffled: got\n%s\nwant\n%s", got, want)
		}
		if got := figures(t, compared(t, read(t, shuffled(r, arms)), "impl", "b")); got != within {
			t.Fatalf("the lines of one file shuffled: got\n%s\nwant\n%s", got, within)
		}
	}
}

// If this fails, the lines of a run whose order is lost are paired at random, or are not compared, or the report does not say so.
func TestOwnLinesShuffled(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	w := world{rand: r, arms: ab, effect: []float64{1, 1.04, 1.5}, lines: 3, rounds: 20, noise: normal(r, 0.002)}
	text := w.file()
	report := compared(t, read(t, shuffled(r, text)), ArmKey, ArmA)
	if !strings.Contains(strings.Join(report.Warnings, "\n"), "order") {
		t.Errorf("got warnings %q, want one of the order", report.Warnings)
	}
	for _, l := range report.Lines {
		if l.Word != Slower || l.Of != "samples" || l.N != 20 || l.test.second == nil || l.Floor < 0.03 {
			t.Errorf("%s: got %s from %d %s, null control %v, floor %v, want slower from 20 samples beyond a floor of 4 %%", l.Name, l.Word, l.N, l.Of, l.test.second != nil, l.Floor)
		}
	}
	if r := compared(t, read(t, text), ArmKey, ArmA); len(r.Warnings) > 0 || r.Lines[0].Of != "blocks" {
		t.Errorf("the run as it was: got warnings %q and %s", r.Warnings, r.Lines[0].Of)
	}
	w.effect = []float64{1, 1.04, 1.03}
	if r := compared(t, read(t, shuffled(r, w.file())), ArmKey, ArmA); r.Lines[0].Word == Slower {
		t.Errorf("shuffled, and within the floor: got slower")
	}
}

// If this fails, the unit that a time is written in decides about the verdict.
func TestUnitsOfTime(t *testing.T) {
	old, new := two(1, 12, 10, 1.02, only(1.1, 4))
	in := func(text, unit string, over float64) string {
		return regexp.MustCompile(`[0-9.e+]+ ns/op`).ReplaceAllStringFunc(text, func(s string) string {
			v, err := strconv.ParseFloat(strings.Fields(s)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return strconv.FormatFloat(v/over, 'g', -1, 64) + " " + unit
		})
	}
	want := sessions(t, old, new)
	for unit, over := range map[string]float64{"us/op": 1e3, "µs/op": 1e3, "ms/op": 1e6, "s/op": 1e9, "sec/op": 1e9} {
		for _, got := range []*Report{sessions(t, old, in(new, unit, over)), sessions(t, in(old, unit, over), in(new, unit, over))} {
			if len(got.Lines) != len(want.Lines) {
				t.Fatalf("%s: got %d lines, want %d", unit, len(got.Lines), len(want.Lines))
			}
			for i, l := range got.Lines {
				if b := want.Lines[i]; l.Name != b.Name || l.Word != b.Word || !near(l.Ratio, b.Ratio) || !near(l.Lo, b.Lo) || !near(l.Detectable, b.Detectable) || !near(l.P, b.P) {
					t.Errorf("%s: got %s of %s (%v), want %s of %s (%v)", unit, l.Word, l.Name, l.Ratio, b.Word, b.Name, b.Ratio)
				}
			}
		}
	}
}
