package results

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/results/stat"
)

// If this fails, the sentence inverts a ratio without its interval, or swaps the bounds: the
// ratio then lies outside the interval.
func TestVerdictBothWays(t *testing.T) {
	sentence := func(naive, cond []float64) string {
		var b strings.Builder
		for i := range naive {
			fmt.Fprintf(&b, "# block %d round %d\n", i, i)
			fmt.Fprintf(&b, "BenchmarkDisableAll/impl=naive-sync/gp=memb/events=10 1 %v ns/op\n", naive[i])
			fmt.Fprintf(&b, "BenchmarkDisableAll/impl=rcu-cond-sync/gp=memb/events=10 1 %v ns/op\n", cond[i])
		}
		text, err := Verdict(parse(t, head+b.String()), catalog)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	slow, fast := []float64{200, 420, 380, 510, 600, 730}, []float64{100, 200, 210, 240, 310, 350}
	// The ratio and its bounds by hand: log ratios, mean and t(5) standard errors.
	mean, sd := 0.0, 0.0
	for i := range slow {
		mean += math.Log(slow[i]/fast[i]) / 6
	}
	for i := range slow {
		sd += math.Pow(math.Log(slow[i]/fast[i])-mean, 2) / 5
	}
	half := 2.570582 * math.Sqrt(sd/6)
	want := fmt.Sprintf("%.2fx [%.2f..%.2f, 95 %%, 6 paired rounds]", math.Exp(mean), math.Exp(mean-half), math.Exp(mean+half))
	if got := sentence(slow, fast); !strings.Contains(got, want+" less") {
		t.Errorf("naive slower: %s; want %s less", got, want)
	}
	if got := sentence(fast, slow); !strings.Contains(got, want+" more") {
		t.Errorf("naive faster: %s; want %s more", got, want)
	}
	if got := sentence(slow, fast); strings.Contains(got, "none at all") {
		t.Errorf("an interval above 1: %s", got)
	}
	if got := sentence([]float64{15, 15}, []float64{10, 10}); !strings.Contains(got, ": 1.50x [1.50..1.50, ") || !strings.Contains(got, "] less") {
		t.Errorf("naive a little slower: %s", got)
	}
	// With three rounds the sentence names the assumption of the interval.
	if got := sentence(slow[:3], fast[:3]); !strings.Contains(got, "3 paired rounds; an interval from 3 rounds takes log ratios for normal") {
		t.Errorf("three rounds: %s", got)
	}
}

// If this fails, a benchmark of many cases decides the mean change, or a mean of few
// benchmarks has an interval.
func TestGeomean(t *testing.T) {
	row := func(name string, was, now float64) Row {
		r := Row{Name: name}
		r.Old.Center, r.New.Center = was, now
		return r
	}
	many := []Row{row("Few/x=1", 100, 200)}
	for i := range 50 {
		many = append(many, row(fmt.Sprintf("Many/x=%d", i), 100, 50))
	}
	m, ok := geomean(many)
	if !ok || m.Benchmarks != 2 || math.Abs(m.Delta) > 1e-9 || m.HasInterval() {
		t.Errorf("one benchmark twice as slow, one of fifty cases twice as fast: %+v, %v; want no change", m, ok)
	}
	m, ok = geomean([]Row{row("A", 1, 1), row("B", 1, math.E), row("C", 1, math.E*math.E)})
	half := 4.302652729749 / math.Sqrt(3)
	if !ok || !m.HasInterval() || math.Abs(m.Delta-(math.E-1)) > 1e-9 || math.Abs(m.Lo-(math.Exp(1-half)-1)) > 1e-6 || math.Abs(m.Hi-(math.Exp(1+half)-1)) > 1e-4 {
		t.Errorf("three benchmarks: %+v, %v", m, ok)
	}
	if m, ok := geomean(many[1:]); ok {
		t.Errorf("one benchmark: %+v", m)
	}
	for _, nothing := range []Row{row("A", 0, 1), row("A", 1, 0)} {
		if m, ok := geomean([]Row{nothing, row("B", 1, 1)}); ok {
			t.Errorf("a median of nothing: %+v", m)
		}
	}
}

// If this fails, two benchmarks are compared, of which one lost its slow batches, without a
// warning; or there is a warning of what chance does.
func TestUnequalShares(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	// file has rounds of two cases. In each sample of the second one, what is counted
	// happens to that share of its batches.
	file := func(rounds int, kept, shared func(c int) float64) *Run {
		var b strings.Builder
		for round := range rounds {
			fmt.Fprintf(&b, "# block %d round %d\n", round, round)
			for c := range 4 {
				tried := 100
				k := int(float64(tried) * kept(c))
				fmt.Fprintf(&b, "# sample at 2026-01-02T03:04:05Z tried %d kept %d shared %d\nBenchmarkA/impl=%d 1 1 ns/op\n", tried, k, int(float64(k)*shared(c)), c)
			}
			// Another benchmark, which A is not compared with.
			fmt.Fprintf(&b, "# sample at 2026-01-02T03:04:05Z tried 100 kept 20 shared 20\nBenchmarkB 1 1 ns/op\n")
		}
		return parse(t, "tpbench: 2\n"+b.String()+"# end complete\n")
	}
	all := func(int) float64 { return 1 }
	none := func(int) float64 { return 0 }
	only := func(with, without float64) func(int) float64 {
		return func(c int) float64 {
			if c == 1 {
				return with
			}
			return without
		}
	}
	for _, tc := range []struct {
		why          string
		rounds       int
		kept, shared func(int) float64
		want         string // of case 1; "" for no warning at all
	}{
		{"nothing happened", 8, all, none, ""},
		{"much was lost, by all alike", 8, only(.3, .3), none, ""},
		{"one lost much", 8, only(.3, 1), none, "A/impl=1 was kept off its CPU in 70 % of its batches, and what it is compared with in 0 %"},
		{"one lost a little", 8, only(.8, 1), none, ""},
		{"one lost a little more than the others, who lost much", 8, only(.4, .5), none, ""},
		{"one lost nothing", 8, only(1, .3), none, "A/impl=1 was kept off its CPU in 0 % of its batches, and what it is compared with in 70 %"},
		{"one lost much, but in two rounds only", 2, only(.3, 1), none, ""},
		{"one had the neighbours", 8, all, only(.6, .1), "A/impl=1 shared the core with a neighbour in 60 % of its batches, and what it is compared with in 10 %"},
	} {
		var told []string
		for _, w := range file(tc.rounds, tc.kept, tc.shared).Warnings {
			told = append(told, w.Error())
		}
		if tc.want == "" && told != nil || tc.want != "" && (len(told) != 1 || !strings.Contains(told[0], tc.want)) {
			t.Errorf("%s: warnings %q, want %q", tc.why, told, tc.want)
		}
	}
	// Neighbours that come and go by samples, for all cases alike.
	warned := 0
	for range 200 {
		warned += len(file(8, all, func(int) float64 { return float64(rnd.IntN(2)) }).Warnings)
	}
	if warned > 8 { // 800 cases, of which .8 are to be expected
		t.Errorf("seed %d: %d of 800 cases that are alike were warned of", seed, warned)
	}
}

// If this fails, rounds of two sessions are paired, or those of one are not.
func TestSessionsAreNotPaired(t *testing.T) {
	run := parse(t, `tpbench: 2
# session 1
# block 0 round 0
BenchmarkA 1 10 ns/op
# session 2
# block 0 round 0
BenchmarkB 1 20 ns/op
# block 1 round 1
BenchmarkA 1 30 ns/op
BenchmarkB 1 60 ns/op
`)
	a, b := run.Samples.Select("A").Pairs("sec/op"), run.Samples.Select("B").Pairs("sec/op")
	if a[0].Round == b[0].Round || a[1].Round != b[1].Round {
		t.Errorf("A in rounds %d and %d, B in %d and %d", a[0].Round, a[1].Round, b[0].Round, b[1].Round)
	}
}

// If this fails, times of a loop at several alignments are summarized as if every round
// were an alignment of its own, or disturbed samples are dropped or not counted.
func TestFiringByAlignment(t *testing.T) {
	var b strings.Builder
	for round := range 8 {
		layout := round % 4
		const sample = "# sample at 2026-01-02T03:04:05Z tried 101 kept 101 shared 0\n"
		beside := sample
		if round == 5 {
			beside = "# sample at 2026-01-02T03:04:05Z tried 101 kept 101 shared 60 disturbed\n"
		}
		fmt.Fprintf(&b, "# block %d round %d layout %d\n", round, round, layout)
		fmt.Fprintf(&b, "%sBenchmarkDispatch/impl=nothing/probes=0 1 1 ns/op\n", sample)
		fmt.Fprintf(&b, "%sBenchmarkDispatch/impl=static-call/probes=1 1 %d ns/op\n", beside, 3+layout)
		fmt.Fprintf(&b, "%sBenchmarkDispatch/impl=plain-call/probes=1 1 3 ns/op\n", sample)
	}
	got := evidence(parse(t, "tpbench: 2\n"+b.String()+"# end complete\n"))
	for _, want := range []string{
		"3.50 (2.00..5.00)",                    // of 2, 3, 4, 5
		"n=8 rounds at 4 alignments",           // of the ratio
		"it holds the median at 87.5 % (n=4)",  // of the range
		"the core in 1 of 24 samples",          // all used
		"an interval from 4 alignments takes ", // not of 8 rounds
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// If this fails, a table leaves out samples of a run, shows them twice, or does not show what
// its rows differ in: the setting, the number of samples, the neighbours, the alignments.
func TestTablesTellAll(t *testing.T) {
	const disturbed = "# sample at 2026-01-02T03:04:05Z tried 9 kept 9 shared 9 disturbed\n"
	var b strings.Builder
	for round := range 4 {
		fmt.Fprintf(&b, "# block %d round %[1]d layout %d\n", round, round%2)
		fmt.Fprintf(&b, "BenchmarkDispatch/impl=static-call/probes=1/cold=no 1 5 ns/op\n")
		fmt.Fprintf(&b, "BenchmarkReadSide/impl=memb 1 %d ns/op\n", 5+round%2)
		if round == 0 {
			fmt.Fprintf(&b, "%sBenchmarkReadSide/impl=qsbr 1 5 ns/op\n", disturbed)
		}
		fmt.Fprintf(&b, "# block %d round %[1]d\n", 10+round)
		fmt.Fprintf(&b, "BenchmarkDisableAll/impl=naive-sync/events=10 1 5 ns/op\nBenchmarkDisableAll/impl=rcu-cond-sync/events=10 1 5 ns/op\n")
		fmt.Fprintf(&b, "BenchmarkOther/x=1 1 5 ns/op\nBenchmarkOther/x=3 1 5 ns/op\n")
		if round == 0 {
			fmt.Fprintf(&b, "BenchmarkOther/x=2 1 5 ns/op\n")
			fmt.Fprintf(&b, "BenchmarkDisableAll/impl=static-call/events=9 1 5 ns/op\n")
			fmt.Fprintf(&b, "BenchmarkDisableAll/impl=static-call/events=11 1 5 ns/op\n")
			fmt.Fprintf(&b, "%sBenchmarkEnableAll/impl=naive-sync/events=10 1 5 ns/op\n", disturbed)
		}
	}
	got := evidence(parse(t, "tpbench: 2\n"+b.String()+"# end complete\n"))
	for _, want := range []string{
		"with the loop, cold=no\n  impl         status  probes=1\n  static-call  sound       5.00\n",
		"the loop is not subtracted: made-up.txt has no sample of Dispatch/impl=nothing\n",
		"a neighbour shared the core in 1 of 9 samples\n",
		"not run with that many events: DisableAll/impl=static-call\n",
		"a neighbour shared the core in 1 of 5 samples\n",
		"Other\n  x  n  time/op\n  1  4  5.00 ns\n  2  1  5.00 ns\n  3  4  5.00 ns\n",
		"n counts alignments of the timed loop",
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is there %d times in\n%s", want, strings.Count(got, want), got)
		}
	}
}

// If this fails, a comparison does not name a unit that only one file has, or names
// differences where there are none.
func TestCompareTellsAll(t *testing.T) {
	text := func(old, new string) string {
		var b strings.Builder
		if err := Compare(parse(t, head+old), parse(t, head+new)).WriteText(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const one, two = "BenchmarkA 1 1 ns/op\n", "BenchmarkA 1 1 ns/op 2 traps/op\n"
	const three = two + "BenchmarkB 1 1 ns/op 2 traps/op\n"
	for _, tc := range []struct{ old, new string }{{one, two}, {two, one}} {
		if got := text(tc.old, tc.new); strings.Count(got, "only in made-up.txt: A [traps/op]\n") != 1 {
			t.Errorf("a unit in one of two files:\n%s", got)
		}
	}
	if got := text(two, two); strings.Contains(got, "only in") || strings.Contains(got, "warning") || strings.Contains(got, "geomean") {
		t.Errorf("the same file twice:\n%s", got)
	}
	if got := text(three, three); strings.Count(got, "geomean of 2") != 1 {
		t.Errorf("two benchmarks, of times and of counts:\n%s", got)
	}
}

// If this fails, a bound is printed without its unit though it is not the median's.
func TestSpreadUnits(t *testing.T) {
	for _, tc := range []struct {
		times []float64
		want  string
	}{
		{[]float64{4e-6, 5e-6, 6e-6}, "5.00 µs (4.00..6.00)"},
		{[]float64{900e-9, 5e-6, 6e-6}, "5.00 µs (900 ns..6.00 µs)"},
		{[]float64{4e-6, 5e-6, 6e-3}, "5.00 µs (4.00 µs..6.00 ms)"},
		{[]float64{5e-6, 5e-6, 5e-6}, "5.00 µs"},
	} {
		if got := new(Table).spread(stat.Summarize(tc.times), func(v float64) string { return Human(v, "sec/op") }); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.times, got, tc.want)
		}
	}
}

// If this fails, a comparison that was not written is said to be.
func TestCompareNotWritten(t *testing.T) {
	run := parse(t, good)
	r, w := io.Pipe()
	r.CloseWithError(syscall.ENOSPC)
	if err := Compare(run, run).WriteText(w); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
}
