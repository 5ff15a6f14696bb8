package compare

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// twoArms is a world of one line whose arms A and B differ by a share.
func twoArms(seed uint64, by float64, rounds int) world {
	r := rand.New(rand.NewPCG(seed, 3))
	return world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, by}, lines: 1, rounds: rounds, noise: normal(r, 0.003)}
}

// withCounts appends counts to the benchmark lines of arms: one text for the base, one for B.
func (w world) withCounts(base, other string) world {
	w.counts = func(arm, _ int) string {
		if arm == len(w.arms)-1 {
			return other
		}
		return base
	}
	return w
}

// If this fails, one more grace period in one operation passes, or other counts decide what they must not.
func TestCountsDecide(t *testing.T) {
	for _, c := range []struct {
		name        string
		head        string
		base, other string
		rounds      int
		by          float64
		word        Word
	}{
		{"one more wait, 2 blocks", "", " 1 gp-waits/op", " 2 gp-waits/op", 2, 1, Worse},
		{"one wait where there was none, though faster", "", " 0 gp-waits/op", " 1 gp-waits/op", 12, 0.5, Worse},
		{"one wait less, though slower", "", " 2 gp-waits/op", " 1 gp-waits/op", 12, 2, Better},
		{"one sample of each, declared exact", "", " 3 core-syncs/op", " 4 core-syncs/op", 1, 1, Worse},
		{"one sample of each, not declared", "", " 1 gp-waits/op", " 2 gp-waits/op", 1, 1, Inconclusive},
		{"a wait less before a sync more", "", " 2 gp-waits/op 1 core-syncs/op", " 1 gp-waits/op 9 core-syncs/op", 2, 1, Better},
		{"a wait more before a sync less", "", " 9 core-syncs/op 1 gp-waits/op", " 1 core-syncs/op 2 gp-waits/op", 2, 1, Worse},
		{"a wait in ftrace before a sync", "", " 2 core-syncs/op 1 ftrace-waits/op", " 1 core-syncs/op 2 ftrace-waits/op", 2, 1, Worse},
		{"other counts by name", "Unit aa better=lower\nUnit bb better=lower\n", " 1 bb 5 aa", " 9 bb 4 aa", 2, 1, Better},
		{"more of what is better, alone", "Unit gp-elided/op better=higher\n", " 1 gp-elided/op", " 0 gp-elided/op", 12, 1.1, Slower},
		{"of unknown direction", "", " 1 oddities/op", " 2 oddities/op", 12, 1, Changed},
		{"of unknown direction must not hide a time", "", " 1 oddities/op", " 2 oddities/op", 12, 1.1, Slower},
		{"an allocation more", "", " 1 allocs/op", " 2 allocs/op", 12, 1, Worse},
		{"an allocation less", "", " 2 allocs/op", " 1 allocs/op", 12, 1, Better},
		{"a byte less must not hide a time", "", " 4096 B/op", " 4095 B/op", 12, 3, Slower},
		{"an allocation more that makes it faster", "", " 1 allocs/op", " 2 allocs/op", 12, 0.3, Faster},
		{"memory before one of unknown direction", "", " 1 allocs/op 1 oddities/op", " 2 allocs/op 2 oddities/op", 12, 1, Worse},
		{"of unknown direction beside a wait", "", " 1 oddities/op 1 gp-waits/op", " 2 oddities/op 2 gp-waits/op", 12, 1.1, Worse},
		{"equal counts leave it to the time", "", " 1 gp-waits/op", " 1 gp-waits/op", 12, 1.1, Slower},
		{"faster", "", " 1 gp-waits/op", " 1 gp-waits/op", 12, 1 / 1.1, Faster},
		{"equal", "", "", "", 24, 1, Equal},
		{"too few blocks", "", "", "", 5, 1.5, Inconclusive},
	} {
		w := twoArms(9, c.by, c.rounds).withCounts(c.base, c.other)
		w.head = c.head
		r := compared(t, w.set(t), ArmKey, ArmA)
		l := r.Lines[0]
		if l.Word != c.word || !l.Gate || r.Whole != c.word {
			t.Errorf("%s: got %q, of the whole %q (%s, P %v), want %q", c.name, l.Word, r.Whole, l.Why, l.P, c.word)
		}
		if got, want := r.Worse(), c.word == Worse; got != want {
			t.Errorf("%s: Worse is %v", c.name, got)
		}
		if got, want := r.Regressed(), c.word == Worse || c.word == Slower; got != want {
			t.Errorf("%s: Regressed is %v", c.name, got)
		}
		if got, want := r.Decided(), c.word != Inconclusive; got != want {
			t.Errorf("%s: Decided is %v", c.name, got)
		}
	}
}

// If this fails, a unit that only one of two files declares is worse one way and changed the other way.
func TestCountsOfTwoFiles(t *testing.T) {
	old := "BenchmarkX 1 10 ns/op 1 odd\nBenchmarkX 1 11 ns/op 1 odd\n"
	new := "Unit odd better=lower\nBenchmarkX 1 10 ns/op 2 odd\nBenchmarkX 1 11 ns/op 2 odd\n"
	if r := sessions(t, old, new); r.Lines[0].Word != Worse {
		t.Errorf("old and new: got %s, want worse", r.Lines[0].Word)
	}
	if r := sessions(t, new, old); r.Lines[0].Word != Better {
		t.Errorf("new and old: got %s, want better", r.Lines[0].Word)
	}
	exact := "Unit odd better=lower assume=exact\n"
	if r := sessions(t, "BenchmarkX 1 10 ns/op 1 odd\n", exact+"BenchmarkX 1 10 ns/op 2 odd\n"); r.Lines[0].Word != Worse {
		t.Errorf("one sample of each: got %s, want worse", r.Lines[0].Word)
	}
}

// If this fails, memory of two sessions, which go test divides by other numbers of iterations, makes a program worse;
// or allocations do not.
func TestMemoryOfTwoFiles(t *testing.T) {
	file := func(bytes, allocs int) string {
		return strings.Repeat(fmt.Sprintf("BenchmarkX 1 10 ns/op %d B/op %d allocs/op\n", bytes, allocs), 12)
	}
	for _, c := range []struct {
		bytes, allocs int
		word          Word
	}{{45, 1, Changed}, {41, 1, Changed}, {43, 2, Worse}, {43, 0, Better}, {41, 2, Worse}} {
		if r := sessions(t, file(43, 1), file(c.bytes, c.allocs)); r.Lines[0].Word != c.word {
			t.Errorf("%d B/op, %d allocs/op: got %s (%s), want %s", c.bytes, c.allocs, r.Lines[0].Word, r.Lines[0].Why, c.word)
		}
	}
	for round := range 2 { // also where they vary
		old, new := "", ""
		for i := range 12 {
			old += fmt.Sprintf("BenchmarkX 1 10 ns/op %d B/op\n", 43+i%2)
			new += fmt.Sprintf("BenchmarkX 1 10 ns/op %d B/op\n", 45+i%2+round)
		}
		if r := sessions(t, old, new); r.Worse() {
			t.Error("more B/op of another session is worse")
		}
	}
}

// If this fails, the null control does not decide: B must differ from A and A2, to the same side, and by more than these.
func TestNullControl(t *testing.T) {
	for _, c := range []struct {
		a2, b float64
		word  Word
	}{
		{1, 1.05, Slower}, {1, 1 / 1.05, Faster}, {1.04, 1.02, Inconclusive}, {0.98, 0.99, Inconclusive},
		{1.05, 1.05, Inconclusive}, {1 / 1.05, 1 / 1.05, Inconclusive}, {1.05, 1.02, Inconclusive}, {1 / 1.05, 1.03, Inconclusive}, {1, 1, Equal},
	} {
		w := twoArms(11, 1, 24)
		w.arms, w.effect = ab, []float64{1, c.a2, c.b}
		l := compared(t, w.set(t), ArmKey, ArmA).Lines[0]
		if got := l.Word; got != c.word && !(c.word == Inconclusive && got == Equal && l.Margin > 0.01) {
			t.Errorf("A2 %v, B %v: got %s (P %v, floor %v), want %s", c.a2, c.b, got, l.P, l.Floor, c.word)
		}
		if l.test.second == nil || l.N != 24 || l.Of != "blocks" {
			t.Errorf("A2 %v, B %v: got null %v, %d %s", c.a2, c.b, l.test.second != nil, l.N, l.Of)
		}
	}
}

// If this fails, run --against ignores its null control, or takes it for an arm.
func TestNullControlOfAnImplementation(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	w := world{rand: r, arms: []string{"impl=a", "impl=a/arm=A2", "impl=b", "impl=c"}, effect: []float64{1, 1.04, 1.03, 1.3}, lines: 2, rounds: 14, noise: normal(r, 0.002)}
	report := compared(t, w.set(t), "impl", "a")
	if got := report.Arms[0].Arm + " " + report.Arms[1].Arm; got != "b c" {
		t.Errorf("got arms %s, want [b c]", got)
	}
	for _, l := range report.Lines {
		if want := map[string]Word{"b": Equal, "c": Slower}[l.Arm]; l.Word != want || l.test.second == nil || l.Floor < 0.03 {
			t.Errorf("%s of %s: got %s, null control %v, floor %v, want %s and a floor above 3 %%", l.Name, l.Arm, l.Word, l.test.second != nil, l.Floor, want)
		}
	}
}

// If this fails, a difference that one layout contradicts is called one of the program.
func TestLayoutsThatContradict(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 1, rounds: 96, layouts: 4, noise: normal(r, 0.002)}
	w.placed = func(_, arm, layout int) float64 { return []float64{0.2, 0.1, 0.1, -0.05}[layout] * float64(arm) }
	l := compared(t, w.set(t), ArmKey, ArmA).Lines[0]
	if l.Word != Inconclusive || l.Why == "" || l.N != 24 || l.Of != "sets of 4 layouts" {
		t.Errorf("got %s (%q) from %d %s, want inconclusive with the reason, from 24 sets of 4 layouts", l.Word, l.Why, l.N, l.Of)
	}
	w.placed = func(_, arm, layout int) float64 { return []float64{0.2, 0.1, 0.1, 0.05}[layout] * float64(arm) }
	if l := compared(t, w.set(t), ArmKey, ArmA).Lines[0]; l.Word != Slower {
		t.Errorf("with no layout that contradicts, got %s, want slower", l.Word)
	}
}

// If this fails, the gate family is not adjusted for its size: 40 lines need p values 40 times smaller.
func TestFamilyIsAdjusted(t *testing.T) {
	for _, c := range []struct {
		lines, rounds int
		word          Word
	}{{1, 6, Slower}, {2, 6, Inconclusive}, {40, 10, Inconclusive}, {40, 11, Slower}} {
		r := rand.New(rand.NewPCG(1, 1))
		w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 2}, lines: c.lines, rounds: c.rounds, noise: normal(r, 0.001)}
		report := compared(t, w.set(t), ArmKey, ArmA)
		if report.Family != c.lines {
			t.Errorf("got a family of %d, want %d", report.Family, c.lines)
		}
		for _, l := range report.Lines {
			if l.Word != c.word {
				t.Errorf("%d lines, %d blocks: got %s (p %v, adjusted %v), want %s", c.lines, c.rounds, l.Word, l.P, l.Adjusted, c.word)
				break
			}
		}
	}
}

// If this fails, quantities beside the main one decide about the whole, or the same time is tested twice.
func TestOneGateLineForEachBenchmark(t *testing.T) {
	w := twoArms(2, 1, 24)
	round := 0
	w.counts = func(arm, _ int) string {
		round++
		return fmt.Sprintf(" %d p99-ns", 500+500*arm+round%7)
	}
	r := compared(t, w.set(t), ArmKey, ArmA)
	if len(r.Lines) != 2 || r.Family != 1 || r.Lines[1].Gate || r.Lines[1].Word != Slower || r.Whole != Equal {
		t.Errorf("got %d lines, a family of %d, whole %s", len(r.Lines), r.Family, r.Whole)
	}
	w = twoArms(2, 1, 24)
	var b strings.Builder
	for line := range strings.Lines(w.file()) {
		if f := strings.Fields(line); strings.HasPrefix(line, "Benchmark") {
			var v float64
			fmt.Sscan(f[2], &v)
			line = fmt.Sprintf("%s %s %s ns/op %g ns/event\n", f[0], f[1], f[2], v/100)
		}
		b.WriteString(line)
	}
	if r := compared(t, read(t, b.String()), ArmKey, ArmA); len(r.Lines) != 1 {
		t.Errorf("got %d lines where ns/event is a hundredth of ns/op, want 1", len(r.Lines))
	}
}
