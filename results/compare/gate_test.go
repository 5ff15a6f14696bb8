package compare

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/results/stat"
)

// If this fails, B is called slower than A although it is not shown to be slower than A2.
func TestBothBasesDecide(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 12))
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 1.002}, lines: 400, rounds: 24, noise: normal(r, 0.003)}
	set := w.set(t)
	all, _, err := within(set, ArmKey, ArmA)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.unit != mainUnit {
			continue
		}
		both := finished(c)
		first, second := c, c
		first.null, second.null, second.base = nil, nil, c.null
		one, two := finished(first), finished(second)
		if both.p < one.p || both.p < two.p || (one.at > 0) != (two.at > 0) && both.p != 1 {
			t.Errorf("%s: P %v, against A %v, against A2 %v", c.name, both.p, one.p, two.p)
		}
		null := c
		null.other, null.null = c.null, nil
		if got := finished(null); both.floor != math.Max(-got.lo, got.hi) {
			t.Errorf("%s: floor %v, of A2 to A [%v, %v]", c.name, both.floor, got.lo, got.hi)
		}
	}
}

// If this fails, quantities outside the gate family are not adjusted by the method of Benjamini and Hochberg.
func TestOthersAreAdjusted(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 13))
	w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: 30, rounds: 12, noise: normal(r, 0.003)}
	w.counts = func(arm, _ int) string {
		return " " + ftoa(100*math.Exp(0.01*r.NormFloat64())+2*float64(arm)) + " p99-ns"
	}
	var p, adjusted []float64
	for _, l := range compared(t, w.set(t), ArmKey, ArmA).Lines {
		if !l.Gate {
			p, adjusted = append(p, l.P), append(adjusted, l.Adjusted)
		}
	}
	below, higher := 0, 0
	holm := stat.Holm(p)
	for i := range p {
		if adjusted[i] < holm[i]-1e-12 {
			below++
		}
		if adjusted[i] > p[i] {
			higher++
		}
	}
	if len(p) != 30 || below < 15 || higher < 15 {
		t.Errorf("of %d lines, %d are below Holm's value and %d above their own, want most", len(p), below, higher)
	}
}

// If this fails, a rate that falls is called faster, or a machine's change is added to a rate instead of taken off.
func TestRatesOfSessions(t *testing.T) {
	old, new := two(5, 12, 10, 1.05, only(1.2, 3))
	rate := func(text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			if f := strings.Fields(line); strings.HasPrefix(line, "Benchmark") {
				b.WriteString(f[0] + " 1 " + ftoa(1e6/atof(f[2])) + " MB/s\n")
			}
		}
		return b.String()
	}
	for _, l := range sessions(t, rate(old), rate(new)).Lines {
		want := Equal
		if strings.HasPrefix(l.Name, "Op3") {
			want = Slower
		}
		if l.Word != want && !(want == Equal && l.Word == Inconclusive) || l.Lo > 1.02 && want == Equal || l.Hi < 0.98 && want == Equal {
			t.Errorf("%s: got %s, %v [%v, %v], want %s", l.Name, l.Word, l.Ratio, l.Lo, l.Hi, want)
		}
		if math.Abs(l.Ratio-math.Sqrt(l.Lo*l.Hi)) > 0.01 {
			t.Errorf("%s: %v is not in the middle of [%v, %v]", l.Name, l.Ratio, l.Lo, l.Hi)
		}
	}
}

// If this fails, an arm that waits less often is better although torture broke it.
func TestSafetyBeforeCounts(t *testing.T) {
	w := twoArms(1, 1, 12).withCounts(" 2 gp-waits/op", " 1 gp-waits/op")
	text := w.with(tortured("arm=A", 2, 0), tortured("arm=B", 2, 1))
	if r := compared(t, read(t, text), ArmKey, ArmA); r.Lines[0].Word != Worse || r.Whole != Worse {
		t.Errorf("got %s for the line and %s for the whole, want worse", r.Lines[0].Word, r.Whole)
	}
}
