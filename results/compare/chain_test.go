package compare

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/results"
)

// A history writes the file of a chain of kernels that do not exist: one boot of each in each round, and one of the
// first again.
type history struct {
	rand    *rand.Rand
	arms    []string
	ops     int
	boots   int
	head    string
	noNull  bool
	value   func(op, arm int) float64 // seconds of one sample; arm -1 is the first again
	counts  func(op, arm int) string  // appended to a benchmark's line
	lacking func(op, arm int) bool    // the arm has no such benchmark
}

func (h history) file() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tpbench: 2\ntime: virtual\narms: %s\n%sUnit gp-waits/op better=lower\nUnit core-syncs/op better=lower assume=exact\n# session 00000001\n", strings.Join(h.arms, " "), h.head)
	block := 0
	for round := range h.boots {
		for _, i := range h.rand.Perm(len(h.arms) + 1) {
			arm, name := i, ""
			if i == len(h.arms) {
				if h.noNull {
					continue
				}
				arm, name = -1, h.arms[0]+Again
			} else {
				name = h.arms[i]
			}
			fmt.Fprintf(&b, "# block %d round %d\n", block, round)
			block++
			for op := range h.ops {
				if h.lacking != nil && h.lacking(op, max(0, arm)) {
					continue
				}
				fmt.Fprintf(&b, "BenchmarkOp%d/arm=%s 1 %.6g ns/op", op, name, 1e9*h.value(op, arm))
				if h.counts != nil {
					b.WriteString(h.counts(op, max(0, arm)))
				}
				b.WriteByte('\n')
			}
		}
	}
	b.WriteString("# end complete\n")
	return b.String()
}

// chain compares the arms of a history, which must be possible.
func (h history) chain(t testing.TB) *Report {
	t.Helper()
	r, err := Chain(read(t, h.file()), Margin)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// releases are arms that are in no order of their names.
func releases(n int) []string {
	return []string{"6.1.0_38", "6.12.48+deb12-cloud-amd64", "6.6.9", "6.16.3", "7.0", "6.18.1", "7.2", "7.3", "8"}[:n]
}

// If this fails, releases are compared with another one than that before them, or in another order than the file's.
func TestChainOrder(t *testing.T) {
	h := history{rand: rand.New(rand.NewPCG(1, 1)), arms: releases(4), ops: 2, boots: 8}
	effect := []float64{1, 1.5, 1.5, 0.5}
	h.value = func(op, arm int) float64 {
		return float64(op+1) * 1e-3 * effect[max(0, arm)] * math.Exp(0.001*h.rand.NormFloat64())
	}
	r := h.chain(t)
	if len(r.Lines) != 6 || r.Family != 6 || len(r.Arms) != 3 {
		t.Fatalf("got %d lines, a family of %d and %d arms, want 6, 6 and 3", len(r.Lines), r.Family, len(r.Arms))
	}
	for i, l := range r.Lines {
		from := i % 3
		want := []Word{Slower, Equal, Faster}[from]
		if l.Name != fmt.Sprintf("Op%d", i/3) || l.From != h.arms[from] || l.Arm != h.arms[from+1] || l.Word != want || l.Of != "boots" || l.N != 8 {
			t.Errorf("line %d: got %s of %s after %s: %s, from %d %s, want %s", i, l.Name, l.Arm, l.From, l.Word, l.N, l.Of, want)
		}
		if ratio := effect[from+1] / effect[from]; math.Abs(l.Ratio/ratio-1) > 0.01 || l.Lo > ratio || l.Hi < ratio {
			t.Errorf("line %d: got %v [%v..%v], want %v", i, l.Ratio, l.Lo, l.Hi, ratio)
		}
	}
	if got := []string{r.Arms[0].Arm, r.Arms[1].Arm, r.Arms[2].Arm}; !slices.Equal(got, h.arms[1:]) {
		t.Errorf("got the arms %q, want %q", got, h.arms[1:])
	}
	if r.Whole != Slower || !r.Regressed() || r.Worse() {
		t.Errorf("the whole is %s", r.Whole)
	}
}

// If this fails, a kernel that waits more often and takes less time is called worse, or one that waits less and takes
// longer is called better; or what explains a time is not beside it.
func TestChainCountsExplain(t *testing.T) {
	for _, c := range []struct {
		name   string
		effect float64
		count  [2]string
		word   Word
		unit   string
		means  bool
	}{
		{"waits twice in half the time", 0.5, [2]string{" 1 gp-waits/op", " 2 gp-waits/op"}, Faster, "gp-waits/op", false},
		{"waits less and takes longer", 2, [2]string{" 2 gp-waits/op", " 1 gp-waits/op"}, Slower, "gp-waits/op", false},
		{"syncs more, which the file declares exact", 1, [2]string{" 2 core-syncs/op", " 3 core-syncs/op"}, Equal, "core-syncs/op", false},
		{"more events", 1.2, [2]string{" 1370 events", " 1650 events"}, Slower, "events", false},
		{"waits vary", 1.2, [2]string{" 1 gp-waits/op", " %d gp-waits/op"}, Slower, "gp-waits/op", true},
	} {
		h := history{rand: rand.New(rand.NewPCG(2, 1)), arms: releases(2), ops: 1, boots: 8}
		h.value = func(_, arm int) float64 {
			v := 1e-3 * math.Exp(0.0005*h.rand.NormFloat64())
			if arm == 1 {
				v *= c.effect
			}
			return v
		}
		n := 0
		h.counts = func(_, arm int) string {
			text := c.count[arm]
			if strings.Contains(text, "%d") {
				n++
				text = fmt.Sprintf(text, n%2)
			}
			return text
		}
		r := h.chain(t)
		if len(r.Lines) != 1 || r.Lines[0].Word != c.word || len(r.Lines[0].Counts) != 1 {
			t.Errorf("%s: got %d lines, %s, counts %v, want one that is %s with one count", c.name, len(r.Lines), r.Lines[0].Word, r.Lines[0].Counts, c.word)
			continue
		}
		if got := r.Lines[0].Counts[0]; got.Unit != c.unit || got.Means != c.means || c.means && (got.Base != 1 || got.Other != 0.5) {
			t.Errorf("%s: got the count %+v", c.name, got)
		}
	}
}

// made is a history of four releases and four operations, of which the last two lack one.
func made() history {
	h := history{rand: rand.New(rand.NewPCG(5, 1)), arms: releases(4), ops: 4, boots: 8}
	took := [][]float64{{2.1, 2.1, 4.2, 1.3}, {8, 8, 8.04, 4}, {0.3, 0.41, 0.41, 0.41}, {1, 1, 1.1, 1.1}}
	waits := [][]int{{1, 1, 2, 0}, {2, 2, 2, 1}, {0, 0, 0, 0}, {1, 1, 1, 1}}
	h.value = func(op, arm int) float64 {
		v := took[op][max(0, arm)] * 1e-3
		if op == 3 { // which waits until the next tick
			return v + tick*float64(h.rand.IntN(2))
		}
		return v * (1 + 1e-4*math.Round(3*h.rand.NormFloat64()))
	}
	h.counts = func(op, arm int) string {
		return fmt.Sprintf(" %d gp-waits/op %d srcu-waits/op %d core-syncs/op %g inner-waits/op", waits[op][arm], waits[op][arm]/2, 3+3*arm, float64(h.rand.IntN(3)+arm)/2)
	}
	h.lacking = func(op, arm int) bool { return op >= 2 && arm < op-1 }
	return h
}

// If this fails, a reader of a chain does not see which pair of releases it is, what explains a change, which clock it is from, or
// what an arm lacks.
func TestChainOutput(t *testing.T) {
	r := made().chain(t)
	text := written(t, r.WriteText)
	for _, want := range []string{
		"4 arms, each compared with the one before it, in virtual time\n",
		"  benchmark    6.1.0    6.12.48      6.6.9     6.16.3\n",
		"  Op1        8.00 ms  8.00 ms =  8.04 ms =  4.00 ms ▼\n",
		"  Op2                    410 µs   410 µs =   410 µs =\n",
		"  Op3                              1.10 ms  5.10 ms ?\n",
		"before      arm  change",
		"Op0: 6.6.9   2.10 ms  4.20 ms   2.00x  [2.00x..2.00x]     2.00x  8  0.04%       1.00%  slower   gp-waits 1 -> 2, core-syncs 6 -> 9, inner-waits 1.06 -> 1.56, srcu-waits 0 -> 1\n",
		"\n6 lines without a change are not shown; --csv has them.\n",
		"floor: how far 6.1.0_38 differs from itself, measured twice;",
		"centre of the boots",
		"\n6.6.9: slower (1 slower, 2 equal)\n",
		"\nOp3 is not in 6.1.0_38, 6.12.48+deb12-cloud-amd64\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not have %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Op1: 6.6.9") {
		t.Errorf("a line without a change is shown:\n%s", text)
	}
	if strings.Contains(text, "0 -> 0") {
		t.Errorf("a count that does not differ is shown:\n%s", text)
	}
	if strings.Contains(text, "too few") {
		t.Errorf("8 boots are enough for 9 lines:\n%s", text)
	}
	for form, write := range map[string]string{"JSON": written(t, r.WriteJSON), "CSV": written(t, r.WriteCSV), "mail": written(t, r.WriteMail), "markdown": written(t, r.WriteMarkdown)} {
		want := map[string]string{
			"JSON": `"before": "6.12.48+deb12-cloud-amd64",`, "CSV": ",before\n", "mail": "slower; gp-waits 1 -> 2,",
			"markdown": "| slower | gp-waits 1 -&gt; 2,",
		}[form]
		if !strings.Contains(write, want) || !strings.Contains(write, "inner-waits") {
			t.Errorf("%s does not have %q:\n%s", form, want, write)
		}
	}
	for form, write := range map[string]string{"mail": written(t, r.WriteMail), "markdown": written(t, r.WriteMarkdown)} {
		if !strings.Contains(write, "6 lines without a change are not shown") || strings.Contains(write, "Op1: 6.6.9") {
			t.Errorf("%s does not leave out the lines without a change:\n%s", form, write)
		}
	}
	if text := written(t, r.WriteMarkdown); !strings.Contains(text, "| Op1 | 8.00 ms | 8.00 ms = | 8.04 ms = | 4.00 ms ▼ |\n") {
		t.Errorf("markdown does not have the matrix:\n%s", text)
	}
	if text := written(t, r.WriteCSV); strings.Count(text, ",equal,") != 5 || strings.Count(text, ",inconclusive,") != 1 {
		t.Errorf("CSV does not have all lines:\n%s", text)
	}
	same := made()
	same.arms = releases(3)
	same.value = func(int, int) float64 { return 1e-3 }
	if text := written(t, same.chain(t).WriteText); strings.Contains(text, "95 % ") || !strings.Contains(text, "1.00 ms =") {
		t.Errorf("without a change the table has no line, and is left out:\n%s", text)
	}
	same.arms = releases(2)
	if text := written(t, same.chain(t).WriteText); strings.Contains(text, "1.00 ms =") || strings.Count(text, " equal") < 2 {
		t.Errorf("two arms have all lines, and no matrix:\n%s", text)
	}
	few := made()
	few.boots = 5
	if text := written(t, few.chain(t).WriteText); !strings.Contains(text, "\nboots of an arm are too few: 9 lines together need 6.\n") {
		t.Errorf("5 boots for 9 lines:\n%s", text)
	}
}

// If this fails, values that are equal or nearly so, which is what virtual time gives, break the statistics.
func TestChainOfEqualValues(t *testing.T) {
	for _, c := range []struct {
		name  string
		boots int
		value func(boot, arm int) float64 // arm -1 is the first again
		word  Word
		floor float64 // 0.01 is 1 %
	}{
		{"all equal", 8, func(_, _ int) float64 { return 1 }, Equal, 0},
		{"all equal, too few", 2, func(_, _ int) float64 { return 1 }, Inconclusive, math.Inf(1)},
		{"all equal but one", 8, func(boot, arm int) float64 { return 1 + 3*one(boot == 2 && arm == 1) }, Equal, 0},
		{"all equal but one of the first", 8, func(boot, arm int) float64 { return 1 + 3*one(boot == 2 && arm == 0) }, Equal, 0},
		{"0.05 % more in each boot", 8, func(_, arm int) float64 { return 1 + 0.0005*one(arm == 1) }, Equal, 0},
		{"2 % more in each boot", 8, func(_, arm int) float64 { return 1 + 0.02*one(arm == 1) }, Slower, 0},
		{"2 % less in each boot", 8, func(_, arm int) float64 { return 1 - 0.02*one(arm == 1) }, Faster, 0},
		{"2 % more in each boot, 3 boots", 3, func(_, arm int) float64 { return 1 + 0.02*one(arm == 1) }, Inconclusive, math.Inf(1)},
		{"2 % more in half of the boots", 8, func(boot, arm int) float64 { return 1 + 0.02*one(arm == 1 && boot%2 == 0) }, Inconclusive, 0},
		{"20 % more, as the first again", 8, func(_, arm int) float64 { return 1 + 0.2*one(arm != 0) }, Inconclusive, 0.2},
		{"20 % less, as the first again", 8, func(_, arm int) float64 { return 1 - 0.2*one(arm != 0) }, Inconclusive, 0.25},
		{"20 % more, the first again less", 8, func(_, arm int) float64 { return 1 + 0.2*one(arm == 1) - 0.2*one(arm == -1) }, Inconclusive, 0.25},
		{"20 % more, the first again 10 %", 8, func(_, arm int) float64 { return 1 + 0.2*one(arm == 1) + 0.1*one(arm == -1) }, Slower, 0.1},
		{"a tick more in a boot of the first again", 8, func(boot, arm int) float64 { return 8 + 4*one(arm == 1) + 4*one(arm == -1 && boot == 0) }, Slower, 0},
		{"ticks in all arms", 8, func(boot, arm int) float64 { return 8 + 4*one((boot+arm)%2 == 0) }, Inconclusive, 0.5},
	} {
		h := history{rand: rand.New(rand.NewPCG(6, 1)), arms: releases(2), ops: 1, boots: c.boots}
		seen := map[int]int{}
		h.value = func(_, arm int) float64 { seen[arm]++; return 1e-3 * c.value(seen[arm]-1, arm) }
		r := h.chain(t)
		l := r.Lines[0]
		if l.Word != c.word || math.Abs(l.Floor-c.floor) > 1e-6 {
			t.Errorf("%s: got %s (%q), %v [%v..%v], p %v, floor %v, want %s and %v", c.name, l.Word, l.Why, l.Ratio, l.Lo, l.Hi, l.Adjusted, l.Floor, c.word, c.floor)
		}
		if text := written(t, r.WriteText); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s:\n%s", c.name, text)
		}
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// If this fails, the null control of the first release does not hold for the pairs of releases that follow it: a change as large
// as what the same kernel differs from itself is called one.
func TestChainNullControlHoldsForAllReleases(t *testing.T) {
	h := history{rand: rand.New(rand.NewPCG(7, 1)), arms: releases(4), ops: 1, boots: 9}
	h.value = func(_, arm int) float64 { return 1e-3 * []float64{1.1, 1, 1, 1.09, 1.3}[arm+1] }
	r := h.chain(t)
	for i, want := range []Word{Inconclusive, Inconclusive, Slower} { // a floor of 10 % allows no equal
		if l := r.Lines[i]; l.Word != want || math.Abs(l.Floor-0.1) > 1e-6 {
			t.Errorf("%s: got %s, floor %v, want %s and 10 %%", l.Arm, l.Word, l.Floor, want)
		} else if l.Detectable <= l.Floor {
			t.Errorf("%s: a change of %v is said to be found, below the floor %v", l.Arm, l.Detectable, l.Floor)
		}
	}
	h.noNull = true
	for i, want := range []Word{Equal, Slower, Slower} {
		if l := h.chain(t).Lines[i]; l.Word != want || !math.IsNaN(l.Floor) {
			t.Errorf("without a null control, %s: got %s, floor %v, want %s and none", l.Arm, l.Word, l.Floor, want)
		}
	}
}

// If this fails, a chain of one arm, of none or of arms that have nothing in common is compared, or stops a program.
func TestChainNeedsArms(t *testing.T) {
	for _, text := range []string{
		"BenchmarkX/arm=a 1 1 ns/op\n",
		"arms: a\nBenchmarkX/arm=a 1 1 ns/op\n",
		"arms: a b\nBenchmarkX/arm=a 1 1 ns/op\n",
		"arms: a b\nBenchmarkX/arm=a 1 1 ns/op\nBenchmarkY/arm=b 1 1 ns/op\n",
		"arms: a b c\nBenchmarkX/arm=a 1 1 ns/op\nBenchmarkX/arm=c 1 1 ns/op\n",
	} {
		_, err := Chain(read(t, text), Margin)
		if missing := new(results.MissingError); !errors.As(err, &missing) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// If this fails, a release of which a boot was lost for good counts as one that was measured.
func TestChainLosses(t *testing.T) {
	h := history{rand: rand.New(rand.NewPCG(8, 1)), arms: releases(3), ops: 1, boots: 8, value: func(_, _ int) float64 { return 1 }}
	for from, arm := range h.arms[1:] {
		text := strings.Replace(h.file(), "# end complete", "# lost round 8 BenchmarkOp0/arm="+arm+": it died three times\n# end incomplete 1", 1)
		r, err := Chain(read(t, text), Margin)
		if err != nil {
			t.Fatal(err)
		}
		if l, other := r.Lines[from], r.Lines[1-from]; l.Word != Worse || l.Why != "lost 1 sample" || other.Word != Equal || r.Decided() || r.Whole != Worse {
			t.Errorf("%s: got %s (%s), and %s of the other pair of releases, want worse and equal", arm, l.Word, l.Why, other.Word)
		}
	}
}

// If this fails, boots of two kernels are taken for pairs where a file has them in one block, and need more of them.
func TestChainBootsAreNoPairs(t *testing.T) {
	h := history{rand: rand.New(rand.NewPCG(9, 1)), arms: releases(2), ops: 1, boots: 8, value: func(_, arm int) float64 { return 1 + float64(max(0, arm)) }}
	var b strings.Builder
	for line := range strings.Lines(h.file()) {
		if f := strings.Fields(line); strings.HasPrefix(line, "# block") {
			line = "# block " + f[4] + " round " + f[4] + "\n"
		}
		b.WriteString(line)
	}
	r, err := Chain(read(t, b.String()), Margin)
	if err != nil {
		t.Fatal(err)
	}
	if l := r.Lines[0]; math.Abs(l.P-2./12870) > 1e-9 {
		t.Errorf("got p %v, want that of 8 values above 8 others, 2 of 12,870", l.P)
	}
}
