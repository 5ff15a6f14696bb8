package compare

import (
	"math/rand/v2"
	"testing"

	"github.com/tpbench/tpbench/results/stat"
)

// If this fails, arms that do not differ are called different more often than the report says: one line in 20 by
// its own test, one session in 20 by the gate.
func TestNoChange(t *testing.T) {
	const lines, sessions = 40, 25
	for seed, n := range noises {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			raw, gate, changed := 0, 0, 0
			for session := range 60 {
				r := rand.New(rand.NewPCG(uint64(seed), uint64(session)))
				w := world{rand: r, arms: ab, effect: []float64{1, 1, 1}, lines: lines, rounds: 13, noise: n.of(r, 0.003)}
				if session >= sessions {
					w.lines = 10 // shorter sessions count for the gate alone
				}
				report := compared(t, w.set(t), ArmKey, ArmA)
				for _, l := range report.Lines {
					if session < sessions && l.P <= Level {
						raw++
					}
					if l.Word != Inconclusive && l.Word != Equal {
						changed++
					}
				}
				if report.Regressed() {
					gate++
				}
			}
			t.Logf("seed %d: %d of %d lines at the raw 5 %% level, the gate failed %d of 60 times, %d words of a change", seed, raw, lines*sessions, gate, changed)
			if raw > 63 || gate > 1 || changed > 6 {
				t.Errorf("got %d lines of 1000 at the raw level, %d failed gates of 60, %d words of a change, want at most 63, 1 and 6", raw, gate, changed)
			}
		})
	}
}

// If this fails, builds whose layout makes them 1 % faster or slower are taken for a change of the program.
func TestNoChangeInBuilds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 13))
	raw, called := 0, 0
	const lines = 600
	w := world{rand: r, arms: ab, effect: []float64{1, 1, 1}, lines: lines, rounds: 130, builds: 13, noise: normal(r, 0.001)}
	type id struct{ line, arm, build int }
	layout := map[id]float64{}
	w.placed = func(line, arm, build int) float64 {
		at := id{line, arm, build}
		if _, ok := layout[at]; !ok {
			layout[at] = 0.01 * r.NormFloat64()
		}
		return layout[at]
	}
	report := compared(t, w.set(t), ArmKey, ArmA)
	for _, l := range report.Lines {
		if l.Of != "builds" || l.N != 13 {
			t.Fatalf("got %d %s, want 13 builds", l.N, l.Of)
		}
		if l.P <= Level {
			raw++
		}
		if l.Word != Inconclusive && l.Word != Equal {
			called++
		}
	}
	if raw > lines*63/1000 || called > 0 {
		t.Errorf("got %d of %d lines at the raw level and %d called, want at most %d and 0", raw, lines, called, lines*63/1000)
	}
}

// If this fails, a run that is looked at several times stops with a false word more often than in 5 % of cases.
func TestNoChangeAtLooks(t *testing.T) {
	runs := 120
	if !testing.Short() {
		runs = 600
	}
	for _, lines := range []int{1, 10} {
		stopped, early := 0, 0
		looks := []int{14, 28, 56, 112} // as cmd/tpbench's schedule sets them
		for run := range runs {
			r := rand.New(rand.NewPCG(7, uint64(run)))
			w := world{rand: r, arms: []string{"arm=A", "arm=B"}, effect: []float64{1, 1}, lines: lines, rounds: 112, noise: normal(r, 0.05), head: "looks: 14 28 56 112\n"}
			full := w.set(t)
			for i, rounds := range looks {
				set := until(full, rounds)
				if got, want := set.alpha(), stat.Looks(Level)[i].Alpha; got != want {
					t.Fatalf("after %d rounds got alpha %v, want %v", rounds, got, want)
				}
				report := compared(t, set, ArmKey, ArmA)
				if report.Decided() || i == len(looks)-1 {
					if words(report)[Slower]+words(report)[Faster] > 0 {
						stopped++
						if i < len(looks)-1 {
							early++
						}
					}
					break
				}
			}
		}
		t.Logf("%d lines: %d of %d runs ended with a false word, %d of them early", lines, stopped, runs, early)
		if stopped > runs*5/100 {
			t.Errorf("%d lines: got %d false words in %d runs, want at most 5 %%", lines, stopped, runs)
		}
	}
}

// until is a set as it was after so many rounds.
func until(full *Set, rounds int) *Set {
	set := *full
	set.series, set.rounds = nil, rounds
	for _, s := range full.series {
		part := *s
		part.values, part.places = column{}, nil
		values := s.values.list()
		for i, p := range s.places {
			if int(p.round) < rounds {
				part.values.add(values[i])
				part.places = append(part.places, p)
			}
		}
		set.series = append(set.series, &part)
	}
	return &set
}
