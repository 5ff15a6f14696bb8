package compare

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// If this fails, a file of ab that is compared by another key mixes its arms.
func TestArmsAreNotMixed(t *testing.T) {
	var b strings.Builder
	b.WriteString("tpbench: 2\n# session 00000001\n")
	for round := range 8 {
		fmt.Fprintf(&b, "# block %d round %d\n", round, round)
		for arm, factor := range map[string]int{"A": 1, "A2": 1, "B": 10} {
			for impl, ns := range map[string]int{"fast": 100, "slow": 200} {
				fmt.Fprintf(&b, "BenchmarkChurn/impl=%s/arm=%s 1 %d ns/op\n", impl, arm, factor*ns+round%2)
			}
		}
	}
	b.WriteString("# end complete\n")
	report := compared(t, read(t, b.String()), "impl", "fast")
	if len(report.Lines) != 2 {
		t.Fatalf("got %d lines, want one in arm A and one in arm B", len(report.Lines))
	}
	for _, l := range report.Lines {
		if l.Ratio < 1.9 || l.Ratio > 2.1 {
			t.Errorf("%s: slow is %vx of fast, want 2", l.Name, l.Ratio)
		}
	}
}

// If this fails, a cost that varies in one sample decides nothing.
func TestCostsThatVaryDecide(t *testing.T) {
	file := func(bytes, allocs int) string {
		var b strings.Builder
		for i := range 12 {
			fmt.Fprintf(&b, "BenchmarkX 1 %d ns/op %d B/op %d allocs/op\n", 1000+i, bytes+i%2, allocs+i%3/2)
		}
		return b.String()
	}
	if got := sessions(t, file(1000, 5), file(100000, 500)); got.Whole != Worse {
		t.Errorf("100 times the memory is %s", got.Whole)
	}
	if got := sessions(t, file(100000, 500), file(1000, 5)); got.Whole == Worse || got.Regressed() {
		t.Errorf("a hundredth of the memory is %s", got.Whole)
	}
	r := rand.New(rand.NewPCG(4, 1))
	w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 1, rounds: 12, noise: normal(r, 0.001), counts: func(arm, round int) string {
		return fmt.Sprintf(" %d core-syncs/op", 3+297*arm+b2i(round == 5)) // declared exact
	}}
	if got := compared(t, w.set(t), ArmKey, ArmA); got.Whole != Worse {
		t.Errorf("a hundred times the core syncs is %s", got.Whole)
	}
}

// If this fails, a benchmark of another program that counts mistakes is taken for torture.
func TestForeignMistakes(t *testing.T) {
	file := func(ns, mistakes int) string {
		return strings.Repeat(fmt.Sprintf("BenchmarkX 1 %d ns/op %d mistakes/op\n", ns, mistakes), 8)
	}
	report := sessions(t, file(100, 0), file(300, 0))
	if len(report.Lines) != 1 || report.Whole != Slower || len(report.Safety) > 0 {
		t.Errorf("three times slower: %s, %d lines, safety %q", report.Whole, len(report.Lines), report.Safety)
	}
}

// If this fails, counts alone of which more is better do not decide, or decide both ways alike.
func TestGainsAlone(t *testing.T) {
	file := func(hits int) string {
		return "Unit hits/op better=higher\n" + strings.Repeat(fmt.Sprintf("BenchmarkX 1 %d hits/op\n", hits), 6)
	}
	for _, c := range []struct {
		old, new int
		want     Word
	}{{100, 1, Worse}, {1, 100, Better}, {7, 7, Equal}} {
		if got := sessions(t, file(c.old), file(c.new)).Whole; got != c.want {
			t.Errorf("hits from %d to %d: %s, want %s", c.old, c.new, got, c.want)
		}
	}
}

// If this fails, of two files that contradict each other one wins.
func TestContradictingUnits(t *testing.T) {
	file := func(better string, foo int) string {
		return "Unit foo better=" + better + "\n" + strings.Repeat(fmt.Sprintf("BenchmarkX 1 %d foo\n", foo), 6)
	}
	for _, swapped := range []bool{false, true} {
		old, new := file("lower", 7), file("higher", 9)
		if swapped {
			old, new = new, old
		}
		if got := sessions(t, old, new).Lines[0].Word; got != Changed {
			t.Errorf("swapped %v: %s, want changed", swapped, got)
		}
	}
}
