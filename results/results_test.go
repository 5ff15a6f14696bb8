package results

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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

// rounds repeats a benchmark with a value for each round.
func rounds(name, unit string, values ...string) string {
	var b strings.Builder
	for i, v := range values {
		b.WriteString("# block " + string(rune('0'+i)) + " round " + string(rune('0'+i)) + "\nBenchmark" + name + " 1 " + v + " " + unit + "\n")
	}
	return b.String()
}

// If this fails, a comparison calls a change better that is worse, or shows one that chance
// explains.
func TestCompare(t *testing.T) {
	units := "Unit gp-elided/op better=higher\nUnit gp-waits/op better=lower\nUnit span-ns better=neither\nUnit up-ns better=higher\n"
	for _, tc := range []struct {
		why, unit string
		old, new  []string
		want      string
	}{
		{"a time, up", "ns/op", []string{"1", "2", "3", "4"}, []string{"11", "12", "13", "14"}, "slower"},
		{"a time, down", "p99-ns", []string{"11", "12", "13", "14"}, []string{"1", "2", "3", "4"}, "faster"},
		{"a time of declared indifference", "span-ns", []string{"1", "2", "3", "4"}, []string{"11", "12", "13", "14"}, "changed"},
		{"a time, the longer the better", "up-ns", []string{"1", "2", "3", "4"}, []string{"11", "12", "13", "14"}, "better"},
		{"too few to tell", "ns/op", []string{"1", "2", "3"}, []string{"11", "12", "13"}, "~"},
		{"a constant time needs its test", "ns/op", []string{"1", "1"}, []string{"2", "2"}, "~"},
		{"a count, up", "gp-waits/op", []string{"0", "0"}, []string{"3", "3"}, "worse"},
		{"a count, higher is better", "gp-elided/op", []string{"1", "1"}, []string{"3", "3"}, "better"},
		{"a count that is noisy", "gp-waits/op", []string{"1", "1"}, []string{"3", "4"}, "~"},
		{"a count that was noisy", "gp-waits/op", []string{"1", "2"}, []string{"3", "3"}, "~"},
		{"a count, once", "gp-waits/op", []string{"1"}, []string{"3"}, "~"},
		{"a count, once before", "gp-waits/op", []string{"1"}, []string{"3", "3"}, "~"},
		{"a count, once since", "gp-waits/op", []string{"1", "1"}, []string{"3"}, "~"},
		{"a count, the same", "gp-waits/op", []string{"3", "3"}, []string{"3", "3"}, "~"},
		{"unknown direction", "anteaters/op", []string{"3", "3"}, []string{"4", "4"}, "changed"},
	} {
		c := Compare(parse(t, units+head+rounds("A", tc.unit, tc.old...)), parse(t, units+head+rounds("A", tc.unit, tc.new...)))
		if len(c.Rows) != 1 || c.Rows[0].Word != tc.want {
			t.Errorf("%s: %+v; want %s", tc.why, c.Rows, tc.want)
		}
	}
	exact := "Unit gp-waits/op assume=exact better=lower\n" + head
	c := Compare(parse(t, exact+rounds("A", "gp-waits/op", "2")), parse(t, exact+rounds("A", "gp-waits/op", "3")))
	if r := c.Rows[0]; !r.Exact || r.Word != "worse" {
		t.Errorf("assume=exact, one sample each: %+v", r)
	}
	// The difference of exact counts has its sign.
	for now, want := range map[string]string{"5": "+2 worse", "1": "-2 better", "3": "~"} {
		c := Compare(parse(t, exact+rounds("A", "gp-waits/op", "3")), parse(t, exact+rounds("A", "gp-waits/op", now)))
		if got := unitComparison(c.Rows).Rows[0]; !slices.Contains(got, want) {
			t.Errorf("from 3 to %s: %q, want %q", now, got, want)
		}
	}
}

// If this fails, the text of a comparison has changed.
func TestCompareText(t *testing.T) {
	file := func(version, c, d, b, alone string, a ...string) *Run {
		run := parse(t, "tpbench: 2\ncpu: made up\nkernel: 6."+version+"\nseed: "+version+"\nUnit gp-waits/op better=lower assume=exact\n"+
			rounds("A/events=100", "ns/op", a...)+rounds("A/events=10", "ns/op", "10", "11", "12", "13", "14", "15")+
			rounds("C", "ns/op", c)+rounds("D", "ns/op", d)+rounds("B", "gp-waits/op", b, b)+rounds(alone, "ns/op", "5"))
		run.Path = map[string]string{"1": "old.txt", "2": "new.txt"}[version]
		return run
	}
	old := file("1", "30", "40", "0", "Gone", "100", "101", "102", "103", "104", "105")
	new := file("2", "33", "41", "3", "Fresh", "200", "201", "202", "203", "204", "205")
	var b bytes.Buffer
	if err := Compare(old, new).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.golden", b.String())
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
			if got := natural(a, b); got != cmp.Compare(i, j) {
				t.Errorf("natural(%s, %s) = %d", a, b, got)
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
	for r, want := range map[float64]string{0.997: "1.00x", 9.996: "10.0x", 10.2: "10.2x", 13.62: "13.6x", 99.96: "100x", 1128.4: "1,128x"} {
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
