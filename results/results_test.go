package results

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/results/stat"
)

var regen = flag.Bool("regen", false, "write the golden files anew")

var catalog = Catalog{
	Impls: []Impl{{Name: "indirect-iterator"}, {Name: "direct-static-call", Busted: true}, {Name: "naive-sync"}, {Name: "rcu-cond-sync"}, {Name: "retpoline-iterator"}, {Name: "static-call"}},
	Benchmarks: []Benchmark{
		{Name: "Dispatch", Role: Firing}, {Name: "DisableAll", Role: Disable}, {Name: "EnableAll", Role: Enable},
		{Name: "Churn", Role: Transition, Table: "Single transitions"}, {Name: "PingPong", Role: Transition, Table: "Single transitions"}, {Name: "Shrink", Role: Transition, Table: "Single transitions"},
		{Name: "Disturb", Role: ReaderLatency, Table: "Reader latency while another core switches every event"}, {Name: "Torture", Role: Torture},
		{Name: "GracePeriod", Role: GracePeriod, Table: "Grace period: one synchronize"}, {Name: "ReadSide", Table: "Read side: entering and leaving a read section"},
		{Name: "Poke", Role: Patching, Table: "Text patching: one batch of sites"},
	},
	EmptyLoop: "nothing", PlainCall: "plain-call", KernelGP: "kernelgp",
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *regen {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not %s; if the change is meant: go test ./results -regen\n%s", path, got)
	}
}

func evidence(run *Run) string {
	var b strings.Builder
	for _, table := range EvidenceTables(run, catalog) {
		b.WriteString(table.String())
	}
	return b.String()
}

// If this fails, the tables or the sentence of a run have changed.
func TestEvidence(t *testing.T) {
	for _, n := range []string{"3", "7"} {
		run := open(t, "testdata/synthetic"+n+".txt")
		verdict, err := Verdict(run, catalog)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "evidence"+n+".golden", evidence(run)+verdict+"\n")
	}
}

// If this fails, the tables depend on the order of a file's samples, which is random.
func TestEvidenceOrder(t *testing.T) {
	run := open(t, "testdata/synthetic3.txt")
	want := evidence(run)
	slices.Reverse(run.Samples)
	if got := evidence(run); got != want {
		t.Errorf("reversed file, other tables:\n%s", got)
	}
}

// If this fails, the sentence says less where it is more, compares two settings, or leaves out
// a doubt.
func TestVerdict(t *testing.T) {
	line := func(impl, gp, events, ns string) string {
		return "BenchmarkDisableAll/impl=" + impl + "/gp=" + gp + "/events=" + events + " 1 " + ns + " ns/op\n"
	}
	naive, cond := line("naive-sync", "memb", "2000", "8e9"), line("rcu-cond-sync", "memb", "2000", "8e6")
	const disturbed = "# sample at 2026-01-02T03:04:05Z tried 9 kept 9 shared 9 disturbed\n"
	for _, tc := range []struct{ why, text, want string }{
		{"one round", naive + cond, "8.00 s with naive-sync (grace periods not counted) and 8.00 ms with rcu-cond-sync (grace periods not counted): 1,000x less (one round, so no interval); how long one grace period takes was not measured (no GracePeriod/gp=memb) (made up)."},
		{"the slower one is faster", strings.ReplaceAll(naive, "8e9", "8e3") + cond, "1,000x more (one round, so no interval)"},
		{"kernelgp before a larger number", naive + cond + line("naive-sync", "kernelgp", "10", "30") + line("rcu-cond-sync", "kernelgp", "10", "10"), "Disabling 10 events took 30.0 ns"},
		{"the largest that both have", naive + cond + line("naive-sync", "memb", "9000", "30"), "Disabling 2,000 events"},
		{"a little less", line("naive-sync", "memb", "10", "15") + line("rcu-cond-sync", "memb", "10", "10"), "1.50x less (one round"},
		{"a little more", line("naive-sync", "memb", "10", "10") + line("rcu-cond-sync", "memb", "10", "15"), "1.50x more (one round"},
		{"a neighbour", naive + disturbed + cond, "(1 of the 2 samples were taken while a neighbour shared the core)"},
		{"a grace period beside as many readers", strings.ReplaceAll(naive+cond, "events=2000", "events=2000/readers=1") +
			"BenchmarkGracePeriod/gp=memb/readers=0 1 5 ns/op\nBenchmarkGracePeriod/gp=memb/readers=1 1 7 ns/op\nBenchmarkGracePeriod/gp=memb/readers=2 1 9 ns/op\n", "one grace period (memb) alone took 7.00 ns"},
		{"neighbours", disturbed + naive + disturbed + cond + "# block 1 round 1\n" + naive + disturbed + cond, "(3 of the 4 samples were taken while a neighbour shared the core)"},
		{"no difference", naive + cond + "# block 1 round 1\n" + strings.ReplaceAll(naive, "8e9", "8e3") + cond, "and as well none at all: the interval holds 1"},
	} {
		got, err := Verdict(parse(t, head+tc.text), catalog)
		if err != nil || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %s, %v; want %s", tc.why, got, err, tc.want)
		}
	}
	for text, want := range map[string]string{
		naive: "impl=rcu-cond-sync",
		cond:  "impl=naive-sync",
		naive + line("rcu-cond-sync", "memb", "10", "1"): "the same events",
	} {
		var missing *MissingError
		if _, err := Verdict(parse(t, head+text), catalog); !errors.As(err, &missing) || !strings.Contains(missing.What, want) {
			t.Errorf("%s: %v; want a MissingError about %s", text, err, want)
		}
	}
}

// If this fails, samples of two settings are taken together, or are shown in the order of
// letters where it should be of numbers.
func TestSelect(t *testing.T) {
	run := parse(t, head+`BenchmarkA/impl=x/n=100/r=0 1 1 ns/op
BenchmarkA/impl=y/n=100/r=0 1 1 ns/op
BenchmarkA/impl=x/n=10/r=0 1 1 ns/op
BenchmarkA/impl=y/n=10/r=1 1 1 ns/op
BenchmarkA/impl=x/n=2000/r=1 1 1 ns/op
`)
	if got := len(run.Samples.Select("A", "impl=x", "r=0")); got != 2 {
		t.Errorf("Select: %d samples", got)
	}
	var order []string
	for _, g := range run.Samples.GroupBy("n") {
		order = append(order, g.Value)
	}
	if !slices.Equal(order, []string{"10", "100", "2000"}) {
		t.Errorf("GroupBy: %v", order)
	}
	// r=0 has three benchmarks, r=1 two.
	if ss, setting := run.Samples.OneSetting("impl", "n"); setting != "r=0" || len(ss) != 3 {
		t.Errorf("OneSetting: %q, %d samples", setting, len(ss))
	}
	// n=10 and n=100 have two each, n=2000 one.
	if ss, n := run.Samples.AtLargest("n"); n != "100" || len(ss) != 2 {
		t.Errorf("AtLargest: %q, %d samples", n, len(ss))
	}
	// Names are in one order, whatever they are compared in.
	ordered := []string{"A/n=9", "A/n=10", "A/n=10.5", "A/n=x", "A/n=y", "B/-1", "B/0", "B/x"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := Natural(a, b); got != cmp.Compare(i, j) {
				t.Errorf("Natural(%s, %s) = %d", a, b, got)
			}
		}
	}
	if ss, setting := run.Samples.Select("B").OneSetting(); ss != nil || setting != "" {
		t.Errorf("OneSetting of nothing: %v, %q", ss, setting)
	}
}

// If this fails, a number is printed with another unit or with other digits.
func TestHuman(t *testing.T) {
	for _, tc := range []struct {
		v    float64
		unit string
		want string
	}{
		{8.003, "sec/op", "8.00 s"}, {7.12e-3, "sec/event", "7.12 ms"}, {105e-6, "p50-sec", "105 µs"},
		{0.26e-9, "sec/op", "0.260 ns"}, {1234.5, "sec/op", "1234 s"}, {0, "sec/op", "0 s"},
		{2305, "gp-waits/op", "2,305"}, {0, "gp-waits/op", "0"}, {1e6, "x", "1,000,000"},
		{2.5, "traps/op", "2.500"}, {math.Inf(1), "sec/op", "–"}, {math.Inf(-1), "x", "–"},
		{-123, "x", "-123"}, {-1234, "x", "-1,234"},
	} {
		if got := Human(tc.v, tc.unit); got != tc.want {
			t.Errorf("Human(%v, %s) = %q, want %q", tc.v, tc.unit, got, tc.want)
		}
	}
	for unit, want := range map[string]string{"sec/op": "time/op", "p99.9-sec": "p99.9", "sec": "time", "core-syncs/op": "core-syncs/op"} {
		if got := HumanUnit(unit); got != want {
			t.Errorf("HumanUnit(%s) = %q, want %q", unit, got, want)
		}
	}
	for r, want := range map[float64]string{0.000936: "0.000936x", 0.00994: "0.00994x", 0.00996: "0.01x", 0: "0.00x", 0.997: "1.00x", 9.996: "10.0x", 10.2: "10.2x", 13.62: "13.6x", 99.96: "100x", 1128.4: "1,128x"} {
		if got := ratio(r); got != want {
			t.Errorf("ratio(%v) = %q, want %q", r, got, want)
		}
	}
}

// If this fails, the evidence calls a strategy safe that broke, or one under which nothing
// was executed or nothing was changed, or has an empty cell for one that was tried.
func TestSafeColumn(t *testing.T) {
	const file = `tpbench: 2
# block 0 round 0
BenchmarkDisableAll/impl=naive-sync/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=rcu-cond-sync/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=direct-static-call/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=unheard/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=deadly/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=seldom-deadly/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=idle/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=idle-busted/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=seldom-idle/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=quick/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
# lost round 0 BenchmarkTorture/impl=deadly/gp=memb/readers=1: worker died: exit status 2
# lost round 0 BenchmarkTorture/impl=seldom-deadly/gp=memb/readers=1: worker died: exit status 2
BenchmarkTorture/impl=naive-sync/gp=memb/readers=1 1 20000000 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=rcu-cond-sync/gp=memb/readers=1 1 5 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=direct-static-call/gp=memb/readers=1 1 7 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=idle/gp=memb/readers=1 1 7000 executions/op 0 transitions/op 0 mistakes/op
BenchmarkTorture/impl=idle-busted/gp=memb/readers=1 1 0 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=seldom-idle/gp=memb/readers=1 1 7000 executions/op 0 transitions/op 0 mistakes/op
BenchmarkTorture/impl=quick/gp=memb/readers=1 1 0 executions/op 0 transitions/op 1 mistakes/op
# block 1 round 1
BenchmarkTorture/impl=naive-sync/gp=memb/readers=1 1 10000000 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=rcu-cond-sync/gp=memb/readers=1 1 5 executions/op 9 transitions/op 1 mistakes/op
BenchmarkTorture/impl=seldom-deadly/gp=memb/readers=1 1 4000 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=idle/gp=memb/readers=1 1 0 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=seldom-idle/gp=memb/readers=1 1 1 executions/op 1 transitions/op 0 mistakes/op
# end incomplete 21 of 23 samples
`
	run, err := Read(strings.NewReader(file), "test")
	if err != nil {
		t.Fatal(err)
	}
	cat := Catalog{Benchmarks: catalog.Benchmarks, Impls: []Impl{{Name: "naive-sync"}, {Name: "rcu-cond-sync"}, {Name: "direct-static-call", Busted: true}, {Name: "unheard"}, {Name: "deadly"}, {Name: "seldom-deadly"},
		{Name: "idle"}, {Name: "idle-busted", Busted: true}, {Name: "seldom-idle"}, {Name: "quick", Busted: true}}}
	tables := EvidenceTables(run, cat)
	if len(tables) != 1 {
		t.Fatalf("%d tables, want the bulk table only", len(tables))
	}
	if tables[0].Columns[2] != "safe" {
		t.Fatalf("columns %q", tables[0].Columns)
	}
	for i, want := range []string{"held over 30.00M", "NO: broke in 1 of 2", "not caught", "", "1 lost", "held over 4.000k, 1 lost",
		"not tried", "not tried", "held over 1.000, 1 not tried", "NO: broke in 1 of 1"} {
		if got := tables[0].Rows[i][2]; got != want {
			t.Errorf("%s: %q, want %q", tables[0].Rows[i][0], got, want)
		}
	}
}

// If this fails, an operation on the running kernel has no row, or one of another, or lacks what was
// counted; or it is in a second table, too.
func TestKernelTable(t *testing.T) {
	var b strings.Builder
	for round := range 6 {
		fmt.Fprintf(&b, "# block %d round %d\n", round, round)
		fmt.Fprintf(&b, "BenchmarkB/by=x 1 %d ns/op 2 gp-waits/op 5 inner-waits/op\n", 1000+round)
		fmt.Fprintf(&b, "BenchmarkA/all=10 1 3000000 ns/op 30 ns/event 0 gp-waits/op %d inner-waits/op 100 events\n", round)
		fmt.Fprintf(&b, "BenchmarkA/all=9 1 2000000 ns/op 20 ns/event 0 gp-waits/op\n")
	}
	cat := Catalog{Benchmarks: []Benchmark{{Name: "A", Role: RunningKernel}, {Name: "B", Role: RunningKernel}}}
	tables := EvidenceTables(parse(t, head+b.String()), cat)
	if len(tables) != 1 {
		t.Fatalf("%d tables, want one: %v", len(tables), tables)
	}
	want := `The running kernel, n=6
  operation                  time     each  gp-waits   inner-waits  events
  A/all=9                 2.00 ms  20.0 ns         0
  A/all=10                3.00 ms  30.0 ns         0  2.500 [0..5]     100
  B/by=x     1.00 µs [1.00..1.00]                  2             5
`
	if got := tables[0].String(); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

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
		{"one lost a little more than the others, which lost much", 8, only(.4, .5), none, ""},
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
