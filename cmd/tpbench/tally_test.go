package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// trialFile is a result file of ab with two benchmarks, of which arm B has times that are longer by these factors.
func trialFile(seed uint64, x, y float64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	fmt.Fprintf(&b, "tpbench: 2\ncpu: made up\nslower-percent: 10\nseed: %d\n# session 00000001\n", seed)
	for round := range 12 {
		fmt.Fprintf(&b, "# block %d round %[1]d\n", round)
		for _, s := range []struct {
			name string
			ns   float64
		}{{"X/arm=A", 100}, {"X/arm=A2", 100}, {"X/arm=B", 100 * x}, {"Y/arm=A", 50}, {"Y/arm=A2", 50}, {"Y/arm=B", 50 * y}} {
			fmt.Fprintf(&b, "Benchmark%s 1 %.6f ns/op\n", s.name, s.ns*(1+0.002*r.Float64()))
		}
	}
	return b.String() + "# end complete\n"
}

// If this fails, selftest counts other verdicts than the trials have, or its file has other numbers
// than its table.
func TestTally(t *testing.T) {
	run := selftest{dir: t.TempDir()}
	for i, text := range []string{trialFile(1, 1.1, 1.1), trialFile(2, 1.1, 1), trialFile(3, 1, 0.9)} {
		must(t, os.WriteFile(filepath.Join(run.dir, fmt.Sprintf("effect-10-trial-%03d.txt", i)), []byte(text), 0o666))
	}
	var shown strings.Builder
	must(t, run.show(&shown, []float64{0, 10}))
	for _, want := range []string{
		`(?m)^ +0 % +0 +lines with p`,
		`(?m)^ +10 % +3 +lines with p <= 5 % alone +4 of 6 +66\.7 % +\[22\.3\.\.95\.7\]$`, // scipy.stats.binomtest(4, 6).proportion_ci()
		`lines called slower +3 of 6 `,
		`lines called faster +1 of 6 `,
		`intervals that hold the truth +3 of 6 `,
		`trials that --gate fails +2 of 3 `,
		`would show +0\.\d\d %`,
	} {
		if !regexp.MustCompile(want).MatchString(shown.String()) {
			t.Errorf("no %s in\n%s", want, &shown)
		}
	}
	for line := range strings.Lines(shown.String()) {
		if len(line) > 120 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
	text, err := os.ReadFile(filepath.Join(run.dir, "selftest.txt"))
	must(t, err)
	want := regexp.MustCompile(`^cpu: made up\nBenchmarkSelftest/slower-percent=10 6 3 trials 0\.666667 raw 0\.22\d* raw-lo 0\.95\d* raw-hi ` +
		`0\.5 slower \S+ slower-lo \S+ slower-hi 0\.166667 faster \S+ faster-lo \S+ faster-hi 0\.5 held \S+ held-lo \S+ held-hi 0\.666667 gate \S+ gate-lo \S+ gate-hi\n$`)
	if !want.Match(text) {
		t.Errorf("selftest.txt has\n%s\nwant %v", text, want)
	}
}
