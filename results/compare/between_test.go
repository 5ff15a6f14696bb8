package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// two makes two files of two sessions; effect is the program's change of each line, machine that of the session.
func two(seed uint64, lines, count int, machine float64, effect func(line int) float64) (old, new string) {
	r := rand.New(rand.NewPCG(seed, 2))
	drift := make([]float64, lines) // of a machine, no two benchmarks slow down by the same
	for i := range drift {
		drift[i] = machine * math.Exp(0.002*r.NormFloat64())
	}
	time := func(line int) float64 { return 1000 * float64(line+1) }
	b := bench{rand: r, lines: lines, count: count, time: time, noise: normal(r, 0.003)}
	old = b.file()
	b.time = func(line int) float64 { return time(line) * drift[line] * effect(line) }
	return old, b.file()
}

func same(int) float64 { return 1 }

// only is an effect on some lines.
func only(by float64, lines ...int) func(int) float64 {
	return func(line int) float64 {
		if slices.Contains(lines, line) {
			return by
		}
		return 1
	}
}

// If this fails, a slower machine is taken for a slower program.
func TestMachineOrSession(t *testing.T) {
	const all = 40
	for _, lines := range []int{1, 2, 3, 5, 40} {
		wrong := 0
		for seed := range uint64(all) {
			old, new := two(seed, lines, 10, 1.05, same)
			r := sessions(t, old, new)
			w := words(r)
			if changed := w[Slower]+w[Faster] > 0; changed {
				wrong++
			}
			if lines < 4 && w[Inconclusive] != lines {
				t.Errorf("seed %d, %d lines: got %v, want all inconclusive, since nothing tells what the machine did", seed, lines, w)
			}
			if r.Regressed() != (w[Slower] > 0) || w[Worse]+w[Better]+w[Changed] > 0 {
				t.Errorf("seed %d, %d lines: got %v and %s for the whole", seed, lines, w, r.Whole)
			}
			if lines > 1 && (r.Common == nil || math.Abs(float64(r.Common.Ratio)-1.05) > 0.01) {
				t.Errorf("seed %d, %d lines: got %+v, want a ratio of 1.05 in common", seed, lines, r.Common)
			}
		}
		t.Logf("%d lines: %d of %d sessions have a false word", lines, wrong, all)
		if wrong > all*5/100 {
			t.Errorf("%d lines: got %d of %d sessions with a false word, want at most 5 %%", lines, wrong, all)
		}
	}
}

// If this fails, one changed benchmark of 40 is not found, or others are blamed.
func TestOneLineChanged(t *testing.T) {
	for seed := uint64(10); seed < 20; seed++ {
		for _, by := range []float64{1.05, 1 / 1.05} {
			want := Slower
			if by < 1 {
				want = Faster
			}
			old, new := two(seed, 40, 10, 1.03, only(by, 7))
			for _, l := range sessions(t, old, new).Lines {
				if changed := strings.HasPrefix(l.Name, "Op7/"); changed != (l.Word == want) || !changed && l.Word != Equal && l.Word != Inconclusive {
					t.Errorf("seed %d: got %s of %s (%v)", seed, l.Word, l.Name, l.Ratio)
				}
			}
		}
	}
}

// If this fails, a change of a third of the benchmarks is taken for the machine's, or is blamed on the others.
func TestThirdOfLinesChanged(t *testing.T) {
	found, wrong := 0, 0
	for seed := range uint64(10) {
		old, new := two(seed, 40, 10, 1, func(line int) float64 { return 1 + 0.08*float64((line%3)/2) })
		for _, l := range sessions(t, old, new).Lines {
			var line int
			for i := range 40 {
				if strings.HasPrefix(l.Name, "Op"+itoa(i)+"/") {
					line = i
				}
			}
			switch {
			case line%3 == 2 && l.Word == Slower:
				found++
			case line%3 != 2 && l.Word != Equal && l.Word != Inconclusive:
				wrong++
			}
		}
	}
	t.Logf("found %d of 130, %d wrong", found, wrong)
	if found < 117 || wrong > 0 {
		t.Errorf("got %d of 130 changed lines and %d wrong words, want 117 and 0", found, wrong)
	}
}

// If this fails, two sessions that do not differ have a false word more often than in 5 % of cases.
func TestNoChangeOfSessions(t *testing.T) {
	for _, lines := range []int{1, 3, 4, 10, 40} {
		false, all := 0, 200
		for seed := range uint64(all) {
			old, new := two(seed, lines, 8, 1, same)
			if w := words(sessions(t, old, new)); w[Slower]+w[Faster] > 0 {
				false++
			}
		}
		t.Logf("%d lines: %d of %d sessions have a false word", lines, false, all)
		if false > all*5/100 {
			t.Errorf("%d lines: got %d of %d sessions with a false word, want at most 5 %%", lines, false, all)
		}
	}
}

// If this fails, the interval of two files does not hold what the program changed.
func TestIntervalOfSessions(t *testing.T) {
	held, all := 0, 0
	for seed := range uint64(25) {
		old, new := two(seed, 40, 10, 1.04, same)
		for _, l := range sessions(t, old, new).Lines {
			all++
			if l.Lo <= 1 && 1 <= l.Hi {
				held++
			}
		}
	}
	t.Logf("%d of %d", held, all)
	if held < all*95/100 {
		t.Errorf("got %d of %d intervals that hold 1, want 95 %%", held, all)
	}
}

// If this fails, a second time of a benchmark, such as its 99th percentile, is called slower because the machine is.
func TestOtherTimesOfSessions(t *testing.T) {
	old, new := two(3, 12, 10, 1.05, same)
	old, new = strings.ReplaceAll(old, " ns/op", " ns/op 70 p99-ns"), strings.ReplaceAll(new, " ns/op", " ns/op 70 p99-ns")
	vary := func(text string, by float64) string {
		r := rand.New(rand.NewPCG(1, 1))
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = strings.Replace(lines[i], " 70 ", " "+ftoa(70*by*math.Exp(0.003*r.NormFloat64()))+" ", 1)
		}
		return strings.Join(lines, "\n")
	}
	r := sessions(t, vary(old, 1), vary(new, 1.05))
	others := 0
	for _, l := range r.Lines {
		if l.Unit == "p99-sec" {
			others++
			if l.Gate {
				t.Errorf("%s [%s] is in the gate family", l.Name, l.Unit)
			}
		}
		if l.Word == Slower || l.Word == Faster {
			t.Errorf("got %s of %s [%s]", l.Word, l.Name, l.Unit)
		}
	}
	if others != 12 {
		t.Errorf("got %d lines of p99-sec, want 12", others)
	}
}

// If this fails, a machine that slows down one kind of benchmarks makes a report that does not say so.
func TestMachineSlowsAKind(t *testing.T) {
	old, new := two(4, 40, 10, 1, func(line int) float64 { return 1 + 0.03*float64((line%4)/3) })
	r := sessions(t, old, new)
	t.Logf("10 of 40 lines 3 %% slower: %v", words(r))
	if text := written(t, r.WriteText); !strings.Contains(text, "some benchmarks more than others") {
		t.Errorf("the report does not say that a machine may slow some benchmarks down more than others:\n%s", text)
	}
}

// If this fails, a time that is a constant part of another in each arm, but not the same part, is left out.
func TestOtherPart(t *testing.T) {
	file := func(part int) (text string) {
		for i := range 12 {
			text += fmt.Sprintf("BenchmarkX 1 %d ns/op %d p99-ns\n", 100+i, part*(100+i))
		}
		return text
	}
	for part, want := range map[int]int{5: 1, 500: 2} {
		if got := len(sessions(t, file(5), file(part)).Lines); got != want {
			t.Errorf("5 and %d times as much: got %d lines, want %d", part, got, want)
		}
	}
}
