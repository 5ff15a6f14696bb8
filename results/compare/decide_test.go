package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
	shift := func() stat.Shift { return s }
	known := &tested{shift: shift, least: 0.01}
	unknown := &tested{shift: shift, least: 0.01, floor: math.Inf(1)}
	known.finish(Level, Level)
	unknown.finish(Level, Level)
	if known.equal > Level || unknown.equal != 1 {
		t.Errorf("got %v with a known floor and %v without, want small and 1", known.equal, unknown.equal)
	}
}

// If this fails, builds are taken for blocks, or blocks for independent of each other, or boots in virtual time for what
// depends on the boot before.
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
	for clock, want := range map[string]bool{results.VirtualTime: false, "wall": true} {
		w.head = "time: " + clock + "\n"
		if l := compared(t, w.set(t), ArmKey, ArmA).Lines[0]; l.N != 26 || l.Widened > 1 != want {
			t.Errorf("boots of a guest whose time is %s: got %d %s, widened by %v", clock, l.N, l.Of, l.Widened)
		}
	}
}

// If this fails, a benchmark that waits once more is not worse because another thread spares it a wait now and then.
func TestWaitsThatVaryDecide(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	waits := func(more int) func(arm, round int) string {
		return func(arm, round int) string {
			n := float64(round%2) / 10
			if arm == 1 {
				n += float64(more)
			}
			return fmt.Sprintf(" %v gp-waits/op %v gp-elided/op", 1+n, 1+n)
		}
	}
	for more, want := range map[int]Word{1: Worse, 0: Equal} {
		w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 1, rounds: 24, noise: normal(r, 0.001), counts: waits(more)}
		report := compared(t, w.set(t), ArmKey, ArmA)
		gate := 0
		for _, l := range report.Lines {
			if l.Gate {
				gate++
			}
		}
		if gate != 2 || report.Whole != want {
			t.Errorf("%d waits more: %s, %d lines of the gate, want %s by time and waits", more, report.Whole, gate, want)
		}
	}
}

// If this fails, quantities that are 0 in most samples are shown, or others are not.
func TestZerosAreNotShown(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 1, rounds: 12, noise: normal(r, 0.001), counts: func(_, round int) string {
		return fmt.Sprintf(" %d rare/op %d usual/op", b2i(round == 3), 1+round%2)
	}}
	var units []string
	for _, l := range compared(t, w.set(t), ArmKey, ArmA).Lines {
		units = append(units, l.Unit)
	}
	if want := []string{"sec/op", "usual/op"}; !slices.Equal(units, want) {
		t.Errorf("got lines of %v, want %v", units, want)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// If this fails, arms are called equal in a run that could not tell them apart, or the margin is not the one asked for.
func TestMargin(t *testing.T) {
	for _, c := range []struct {
		sigma, margin, effect float64
		want                  Word
	}{
		{0.002, 0.01, 1, Equal},
		{0.03, 0.01, 1, Equal}, // within a floor of some percent
		{0.2, 0.01, 1, Inconclusive},
		{0.2, 0.3, 1, Equal},
		{0.06, 0.1, 1.01, Equal},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		w := world{rand: r, arms: []string{"arm=A", "arm=A2", "arm=B"}, effect: []float64{1, 1, c.effect}, lines: 1, rounds: 60, noise: normal(r, c.sigma)}
		report, err := Within(w.set(t), ArmKey, ArmA, c.margin)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Lines[0].Word; got != c.want {
			t.Errorf("noise %v, margin %v, effect %v: %s with floor %v, want %s", c.sigma, c.margin, c.effect, got, report.Lines[0].Floor, c.want)
		}
	}
}
