package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// A world writes result files of machines that do not exist.
type world struct {
	rand *rand.Rand

	arms   []string // keys of the names, the base first: "impl=a"; with arm=A2 the null control
	effect []float64
	lines  int // benchmarks
	rounds int

	builds  int // if not 0
	layouts int // if not 0

	noise  func() float64                  // of one sample, in logarithms
	placed func(arm, placing int) float64  // what a build or a layout adds
	counts func(arm int, round int) string // appended to a benchmark's line
	sorted bool                            // arms stand in one order in all blocks
	head   string
}

func (w *world) file() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tpbench: 2\ncpu: made up\n%sUnit gp-waits/op better=lower\nUnit core-syncs/op better=lower assume=exact\n# session 00000001\n", w.head)
	block := 0
	for round := range w.rounds {
		for line := range w.lines {
			fmt.Fprintf(&b, "# block %d round %d", block, round)
			placing := 0
			if w.layouts > 0 {
				placing = round % w.layouts
				fmt.Fprintf(&b, " layout %d", placing)
			}
			if w.builds > 0 {
				placing = round % w.builds
				fmt.Fprintf(&b, " build %d", placing)
			}
			b.WriteByte('\n')
			block++
			order := w.rand.Perm(len(w.arms))
			for i := range order {
				arm := order[i]
				if w.sorted {
					arm = i
				}
				log := math.Log(1e-6*float64(1+line)) + math.Log(w.effect[arm])
				if w.noise != nil {
					log += w.noise()
				}
				if w.placed != nil {
					log += w.placed(arm, placing)
				}
				fmt.Fprintf(&b, "# sample at 2026-11-22T00:00:00Z tried 101 kept 101 shared 0\nBenchmarkOp%d/%s 100 %v ns/op", line, w.arms[arm], math.Exp(log)*1e9)
				if w.counts != nil {
					b.WriteString(w.counts(arm, round))
				}
				b.WriteByte('\n')
			}
		}
	}
	b.WriteString("# end complete\n")
	return b.String()
}

func (w *world) set(t testing.TB) *Set {
	t.Helper()
	return read(t, w.file())
}

func read(t testing.TB, text string) *Set {
	t.Helper()
	set, err := Read(strings.NewReader(text), "made-up.txt")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// within compares the arms of a set, which must be possible.
func compared(t testing.TB, set *Set, by, base string) *Report {
	t.Helper()
	r, err := Within(set, by, base)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func normal(r *rand.Rand, sigma float64) func() float64 {
	return func() float64 { return sigma * r.NormFloat64() }
}
