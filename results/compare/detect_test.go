package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// If this fails, the change that a report says would show is found too seldom, so that the promise is false, or
// nearly always, so that less would do.
func TestDetectable(t *testing.T) {
	for _, lines := range []int{1, 40} {
		for _, blocks := range []int{12, 24, 48, 200} {
			if testing.Short() && blocks != 12 && blocks != 48 {
				continue
			}
			for _, null := range []bool{true, false} {
				arms := []string{"arm=A", "arm=B"}
				effect := []float64{1, 1}
				if null {
					arms, effect = ab, []float64{1, 1, 1}
				}
				found, all := 0, 0
				want := 600
				if testing.Short() {
					want = 160
				}
				if blocks == 200 {
					want /= 2
				}
				mean := 0.0
				for seed := uint64(0); all < want; seed++ {
					r := rand.New(rand.NewPCG(seed, uint64(blocks+lines)))
					first := world{rand: r, arms: arms, effect: effect, lines: 40, rounds: blocks, noise: normal(r, 0.01)}
					printed := detectable(t, first, lines)
					for _, share := range printed {
						if math.IsInf(share, 1) {
							continue
						}
						all++
						mean += share
						shifted := slices.Clone(effect)
						shifted[len(shifted)-1] = 1 + share
						second := world{rand: r, arms: arms, effect: shifted, lines: 1, rounds: blocks, noise: normal(r, 0.01)}
						if finds(t, second, lines) {
							found++
						}
					}
				}
				share := float64(found) / float64(all)
				t.Logf("family of %d, %d blocks, null control %v: %.0f %% of %d found, at %.2f %% in the mean", lines, blocks, null, 100*share, all, 100*mean/float64(all))
				if share < 0.70 || share > 0.90 {
					t.Errorf("family of %d, %d blocks, null control %v: got %.0f %% of %d found, want 70 to 90 %%", lines, blocks, null, 100*share, all)
				}
			}
		}
	}
}

// detectable is what a world's lines print in a family of so many.
func detectable(t *testing.T, w world, family int) (shares []float64) {
	report := compared(t, w.set(t), ArmKey, ArmA)
	for _, l := range report.Lines {
		l.test.finish(Level, Level/float64(family))
		l.numbers()
		shares = append(shares, l.Detectable)
	}
	return shares
}

// finds reports whether the one line of a world is called slower in a family of so many, of which no other differs.
func finds(t *testing.T, w world, family int) bool {
	l := compared(t, w.set(t), ArmKey, ArmA).Lines[0]
	return l.test.differs(l.P*float64(family), Level) && l.direction(l.test.center()) == Slower
}
