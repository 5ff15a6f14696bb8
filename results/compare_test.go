package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
)

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

// If this fails, a comparison that was not written is said to be.
func TestCompareNotWritten(t *testing.T) {
	run := parse(t, good)
	r, w := io.Pipe()
	r.CloseWithError(syscall.ENOSPC)
	if err := Compare(run, run).WriteText(w); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
}
