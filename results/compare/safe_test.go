package compare

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// tortured are samples of torture of an arm: so many, of which so many broke.
func tortured(keys string, samples, broke int) string {
	text := ""
	for i := range samples {
		mistakes := 0
		if i < broke {
			mistakes = 7
		}
		text += fmt.Sprintf("# block %d round %d\n# sample at 2026-11-22T00:00:00Z tried 1 kept 1 shared 0\nBenchmarkTorture/%s 1 100 executions/op %d mistakes/op\n", 9000+i, i, keys, mistakes)
	}
	return text
}

// with is a world's file with more lines before its end.
func (w *world) with(more ...string) string {
	return strings.Replace(w.file(), "# end complete\n", strings.Join(more, "")+"# end complete\n", 1)
}

// If this fails, an arm that broke under torture passes, whatever its time, or one that held is blamed.
func TestTortureDecides(t *testing.T) {
	const none = -1
	for _, by := range []string{"impl", "arm"} {
		base, other := map[string]string{"impl": "impl=a", "arm": "impl=x/arm=A"}[by], map[string]string{"impl": "impl=b", "arm": "impl=x/arm=B"}[by]
		for _, c := range []struct {
			name        string
			base, other int // samples that broke
			by          float64
			word        Word
		}{
			{"the arm broke, though faster", 0, 2, 0.5, Worse},
			{"the base broke, though the arm is slower", 1, 0, 2, Better},
			{"both broke", 1, 3, 2, Slower},
			{"both held", 0, 0, 2, Slower},
			{"only the arm was tried, and broke", none, 1, 0.5, Worse},
			{"only the arm was tried, and held", none, 0, 0.5, Faster},
			{"only the base was tried, and broke", 1, none, 2, Slower},
			{"only the base was tried, and held", 0, none, 2, Slower},
			{"none was tried", none, none, 2, Slower},
		} {
			r := rand.New(rand.NewPCG(1, 1))
			w := world{rand: r, arms: []string{base, other}, effect: []float64{1, c.by}, lines: 2, rounds: 12, noise: normal(r, 0.002)}
			text := w.with(tortured(base, max(0, 4*min(1, c.base+1)), c.base), tortured(other, max(0, 4*min(1, c.other+1)), c.other))
			value := map[string]string{"impl": "a", "arm": "A"}[by]
			report := compared(t, read(t, text), by, value)
			if report.Whole != c.word || len(report.Lines) != 2 || report.Lines[0].Word != c.word || report.Lines[1].Word != c.word {
				t.Errorf("by %s, %s: got %s for the whole and %s for a line (%s), want %s", by, c.name, report.Whole, report.Lines[0].Word, report.Lines[0].Why, c.word)
			}
			tried := 0
			for _, n := range []int{c.base, c.other} {
				if n != none {
					tried++
				}
			}
			if len(report.Safety) != tried {
				t.Errorf("by %s, %s: got %q, want a sentence for each that was tortured", by, c.name, report.Safety)
			}
		}
	}
}

// If this fails, torture of one implementation decides about another, or about lines of none.
func TestTortureOfOneOfSeveral(t *testing.T) {
	text := "tpbench: 2\nUnit mistakes/op better=lower\n# session 1\n"
	block := 0
	for round := range 12 {
		for _, name := range []string{"X/impl=x", "X/impl=y", "Section/gp=memb"} {
			text += fmt.Sprintf("# block %d round %d\n", block, round)
			block++
			for i, arm := range []string{"A", "B"} {
				text += fmt.Sprintf("Benchmark%s/arm=%s 1 %d ns/op\n", name, arm, 1000*(1+i)+round)
			}
		}
	}
	end := "# end complete\n"
	for range 20 { // maps have no order
		r := compared(t, read(t, text+tortured("impl=x/arm=A", 2, 2)+tortured("impl=y/arm=A", 2, 0)+tortured("impl=x/arm=B", 2, 0)+tortured("impl=y/arm=B", 2, 0)+end), ArmKey, ArmA)
		for _, l := range r.Lines {
			if want := map[string]Word{"X/impl=x": Better}[l.Name]; l.Word != want && !(want == "" && l.Word == Slower) {
				t.Fatalf("%s: got %s (%s)", l.Name, l.Word, l.Why)
			}
		}
		r = compared(t, read(t, text+tortured("impl=x/arm=A", 2, 0)+tortured("impl=x/arm=B", 2, 1)+end), ArmKey, ArmA)
		for _, l := range r.Lines {
			if want := map[string]Word{"X/impl=x": Worse}[l.Name]; l.Word != want && !(want == "" && l.Word == Slower) {
				t.Fatalf("%s: got %s (%s)", l.Name, l.Word, l.Why)
			}
		}
		if r.Whole != Worse || !r.Worse() {
			t.Fatalf("got %s for the whole, want worse", r.Whole)
		}
	}
}

// If this fails, torture decides about no line of two files, where none has an implementation that was tortured in both.
func TestTortureOfTwoFiles(t *testing.T) {
	file := func(broke int) string {
		return "tpbench: 2\n# session 1\n# block 0 round 0\nBenchmarkX/impl=x 1 10 ns/op\n" + tortured("impl=x", 3, broke) + "# end complete\n"
	}
	for _, c := range []struct {
		old, new int
		word     Word
	}{{0, 1, Worse}, {1, 0, Better}, {1, 1, Inconclusive}, {0, 0, Inconclusive}} {
		if r := sessions(t, file(c.old), file(c.new)); r.Whole != c.word || r.Lines[0].Word != c.word {
			t.Errorf("%d and %d broke: got %s for the whole, %s for the line, want %s", c.old, c.new, r.Whole, r.Lines[0].Word, c.word)
		}
	}
	// A whole that has no line of what broke.
	old := "tpbench: 2\n# session 1\n# block 0 round 0\nBenchmarkX/impl=y 1 10 ns/op\n" + tortured("impl=x", 3, 0) + "# end complete\n"
	new := strings.Replace(old, " 0 mistakes", " 5 mistakes", 1)
	if r := sessions(t, old, new); r.Whole != Worse || r.Lines[0].Word != Inconclusive {
		t.Errorf("got %s for the whole and %s for a line of another, want worse and inconclusive", r.Whole, r.Lines[0].Word)
	}
}

// If this fails, an arm that lost samples passes, or one is blamed that lost none.
func TestLossesDecide(t *testing.T) {
	lost := func(arm string, rounds ...int) string {
		text := ""
		for _, round := range rounds {
			text += fmt.Sprintf("# lost round %d BenchmarkOp0/%s: the worker died\n", round, arm)
		}
		return text
	}
	for _, c := range []struct {
		name string
		more string
		word Word
	}{
		{"none lost", "", Slower},
		{"the arm lost one", lost("arm=B", 90), Worse},
		{"the arm lost two", lost("arm=B", 90, 91), Worse},
		{"the base lost one, which says nothing good about the arm", lost("arm=A", 90), Slower},
		{"the null control lost one: it is the base", lost("arm=A2", 90), Slower},
		{"both lost one", lost("arm=A", 90) + lost("arm=B", 91), Slower},
		{"the arm and the null control lost one", lost("arm=A2", 90) + lost("arm=B", 91), Slower},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		w := world{rand: r, arms: ab, effect: []float64{1, 1, 2}, lines: 1, rounds: 12, noise: normal(r, 0.002)}
		report := compared(t, read(t, w.with(c.more)), ArmKey, ArmA)
		if report.Whole != c.word || len(report.Lines) != 1 || len(report.Arms) != 1 {
			t.Errorf("%s: got %s for the whole, %d lines, arms %v, want %s", c.name, report.Whole, len(report.Lines), report.Arms, c.word)
		}
		if n := strings.Count(c.more, "# lost"); len(report.Warnings) != n || report.Decided() != (n == 0) {
			t.Errorf("%s: got warnings %q and decided %v, want %d and a decision if there is none", c.name, report.Warnings, report.Decided(), n)
		}
	}
}

// If this fails, a benchmark of which an arm lost all samples is not in the report, or is called equal.
func TestAllSamplesLost(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	lost := func(name string) string { return "# lost round 3 Benchmark" + name + ": the worker died\n" }
	for _, c := range []struct {
		name string
		more string
		line string
		word Word
	}{
		{"of the arm", "# block 900 round 3\nBenchmarkGone/k=1/arm=A 1 10 ns/op\n" + lost("Gone/k=1/arm=B"), "Gone/k=1", Worse},
		{"of the arm, and one of the base", "# block 900 round 4\nBenchmarkGone/k=1/arm=A 1 10 ns/op\n" + lost("Gone/k=1/arm=A") + lost("Gone/k=1/arm=B"), "Gone/k=1", Worse},
		{"of both", lost("Gone/k=1/arm=A") + lost("Gone/k=1/arm=B"), "Gone/k=1", Inconclusive},
		{"of the arm, beside a number of CPUs", lost("Gone/k=1/arm=B-8"), "Gone/k=1/gomaxprocs=8", Worse},
	} {
		w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 1, rounds: 30, noise: normal(r, 0.002)}
		report := compared(t, read(t, w.with(c.more)), ArmKey, ArmA)
		found := false
		for _, l := range report.Lines {
			if l.Name == c.line {
				found = true
				if l.Word != c.word || !l.Gate || l.Why == "" {
					t.Errorf("%s: got %s (%q), want %s and why", c.name, l.Word, l.Why, c.word)
				}
			}
		}
		if !found || report.Whole != c.word || report.Decided() {
			t.Errorf("%s: found %v, whole %s, decided %v, want %s", c.name, found, report.Whole, report.Decided(), c.word)
		}
	}
	// Nothing is left of a benchmark in the base: a benchmark that only the arm has.
	w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 1, rounds: 30, noise: normal(r, 0.002)}
	report := compared(t, read(t, w.with("# block 900 round 3\nBenchmarkGone/arm=B 1 10 ns/op\n"+lost("Gone/arm=A"))), ArmKey, ArmA)
	if len(report.Lacks) != 1 || !strings.Contains(report.Lacks[0], "Gone") {
		t.Errorf("got %q, want the benchmark that only one arm has", report.Lacks)
	}
}

// If this fails, a sample that one session lost and a later one took is not mentioned: a strategy that dies now and
// then passes if it is tried again; or a loss counts twice that two sessions had.
func TestHealedLosses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 1}, lines: 1, rounds: 12, noise: normal(r, 0.002)}
	again := compared(t, read(t, w.with("# lost round 3 BenchmarkOp0/arm=B: the worker died\n")), ArmKey, ArmA)
	if len(again.Warnings) != 1 || !strings.Contains(again.Warnings[0], "1 sample was lost at first") || again.Whole == Worse {
		t.Errorf("lost and taken again: got %q, %s", again.Warnings, again.Whole)
	}
	twice := "# lost round 90 BenchmarkOp0/arm=B: the worker died\n"
	if r := compared(t, read(t, w.with(twice, twice)), ArmKey, ArmA); len(r.Warnings) != 1 || r.Lines[0].Why != "lost 1 sample" {
		t.Errorf("lost by two sessions: got %q and %q", r.Warnings, r.Lines[0].Why)
	}
}

// If this fails, a benchmark of a user that reports mistakes is taken for torture, and not compared.
func TestForeignUnitOfMistakes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 2}, lines: 1, rounds: 12, noise: normal(r, 0.002)}
	w.counts = func(arm, _ int) string { return " 3 mistakes/op" }
	if r := compared(t, read(t, w.file()), ArmKey, ArmA); len(r.Lines) != 1 || r.Lines[0].Word != Slower || len(r.Safety) > 0 {
		t.Errorf("got %d lines, %q, want one that is slower", len(r.Lines), r.Safety)
	}
}

// If this fails, A2 is taken for the null control of another base than A, and a slowdown for its floor.
func TestNullControlBelongsToA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 1.03}, lines: 1, rounds: 12, noise: normal(r, 0.002)}
	set := read(t, w.with("# lost round 90 BenchmarkOp0/arm=A2: the worker died\n"))
	for base, want := range map[string]Word{ArmA: Slower, ArmB: Faster} {
		r := compared(t, set, ArmKey, base)
		if len(r.Lines) != 1 || r.Whole != want || (r.Lines[0].test.second != nil) != (base == ArmA) {
			t.Errorf("base %s: got %d lines, %s, null control %v, want %s", base, len(r.Lines), r.Whole, r.Lines[0].test.second != nil, want)
		}
	}
	if _, err := Within(set, ArmKey, ArmA2, Margin); err == nil {
		t.Error("A2 is a base")
	}
}

// If this fails, a benchmark that an arm cannot run leaves no trace in the report.
func TestLeftOut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 1}, lines: 1, rounds: 12, noise: normal(r, 0.002), head: LeftOutFact + ": X/impl=a Y\n"}
	if got := compared(t, read(t, w.file()), ArmKey, ArmA).Lacks; len(got) != 2 || !strings.HasPrefix(got[0], "X/impl=a was left out") {
		t.Errorf("got %q", got)
	}
}
