package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// If this fails, a better word of one line hides a worse word of another.
func TestWhole(t *testing.T) {
	order := []Word{Worse, Slower, Inconclusive, Changed, Better, Faster, Equal}
	for i, worse := range order {
		for _, better := range order[i:] {
			if got := whole(map[Word]int{worse: 1, better: 9}); got != worse {
				t.Errorf("of %s and %s got %s", worse, better, got)
			}
		}
	}
	if got := whole(nil); got != Inconclusive {
		t.Errorf("of no line got %s, want inconclusive", got)
	}
}

// If this fails, a run goes on because of lines that do not decide, or stops although one that does is open.
func TestDecided(t *testing.T) {
	open, done := &Line{Gate: true, Word: Inconclusive}, &Line{Gate: true, Word: Equal}
	for _, c := range []struct {
		lines []*Line
		want  bool
	}{{nil, false}, {[]*Line{done}, true}, {[]*Line{done, open}, false}, {[]*Line{done, {Word: Inconclusive}}, true}} {
		if got := (&Report{Lines: c.lines}).Decided(); got != c.want {
			t.Errorf("%d lines: got %v", len(c.lines), got)
		}
	}
}

// If this fails, a look is taken at the level of another.
func TestLevelOfALook(t *testing.T) {
	looks := stat.Looks(Level)
	for rounds, want := range map[int]float64{1: looks[0].Alpha, 2: looks[0].Alpha, 3: looks[1].Alpha, 4: looks[1].Alpha, 5: looks[2].Alpha, 9: looks[3].Alpha, 16: looks[3].Alpha, 17: looks[3].Alpha} {
		set := &Set{rounds: rounds, Facts: []results.KeyValue{{Key: LooksFact, Value: "2 4 8 16"}}}
		if got := set.alpha(); got != want {
			t.Errorf("after %d rounds got %v, want %v", rounds, got, want)
		}
	}
	if got := (&Set{rounds: 3}).alpha(); got != Level {
		t.Errorf("without looks got %v", got)
	}
}

// If this fails, equality is claimed of some line of many by chance, or against a floor that is not known.
func TestEqualIsAdjusted(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 40, rounds: 7, noise: normal(r, 0.0001)}
	for _, l := range compared(t, w.set(t), ArmKey, ArmA).Lines {
		if l.Word != Inconclusive {
			t.Fatalf("40 lines of 7 blocks: got %s", l.Word)
		}
	}
	s := stat.Paired(make([]float64, 12))
	known := &tested{difference: difference{shift: s}, least: 0.01}
	unknown := &tested{difference: difference{shift: s}, least: 0.01, floor: math.Inf(1)}
	if known.equal() > Level || unknown.equal() != 1 {
		t.Errorf("got %v with a known floor and %v without, want small and 1", known.equal(), unknown.equal())
	}
}

// If this fails, builds are taken for blocks, or blocks for independent of each other.
func TestWidenedUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 1}, lines: 1, rounds: 26, builds: 13, noise: normal(r, 0.001)}
	if l := compared(t, w.set(t), ArmKey, ArmA).Lines[0]; l.N != 13 || l.Of != "builds" || l.Widened != 1 {
		t.Errorf("got %d %s, widened by %v, want 13 builds as they are", l.N, l.Of, l.Widened)
	}
	w.builds, w.noise = 0, noises[4].of(r, 0.001)
	if l := compared(t, w.set(t), ArmKey, ArmA).Lines[0]; l.N != 26 || l.Of != "blocks" || l.Widened <= 1 {
		t.Errorf("got %d %s, widened by %v, want 26 blocks and more than 1", l.N, l.Of, l.Widened)
	}
}
