package compare

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
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

	noise  func(line, arm int) float64          // of one sample, in logarithms, in the order of the run
	placed func(line, arm, placing int) float64 // what a build or a layout adds
	counts func(arm int, round int) string      // appended to a benchmark's line
	sorted bool                                 // arms stand in one order in all blocks
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
					log += w.noise(line, arm)
				}
				if w.placed != nil {
					log += w.placed(line, arm, placing)
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
	r, err := Within(set, by, base, Margin)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A noise makes the noise of one session. All have a standard deviation near sigma.
type noise struct {
	name string
	of   func(r *rand.Rand, sigma float64) func(line, arm int) float64
}

var noises = []noise{
	{"normal", normal},
	{"Student's, 3 degrees", func(r *rand.Rand, sigma float64) func(line, arm int) float64 {
		return func(int, int) float64 { return sigma * student3(r) }
	}},
	{"two states", func(r *rand.Rand, sigma float64) func(line, arm int) float64 {
		return func(int, int) float64 {
			slow := 0.0
			if r.Float64() < 0.1 {
				slow = 5 * sigma
			}
			return slow + sigma*r.NormFloat64()
		}
	}},
	{"AR(1) 0.4 in the order of the run", func(r *rand.Rand, sigma float64) func(line, arm int) float64 {
		state := map[int]float64{}
		return func(line, _ int) float64 { state[line] = ar(r, state[line]); return sigma * state[line] }
	}},
	{"AR(1) 0.4 of each arm", func(r *rand.Rand, sigma float64) func(line, arm int) float64 {
		state := map[[2]int]float64{}
		return func(line, arm int) float64 {
			at := [2]int{line, arm}
			state[at] = ar(r, state[at])
			return sigma * state[at]
		}
	}},
	{"a machine that drifts", func(r *rand.Rand, sigma float64) func(line, arm int) float64 {
		drift := 0.0
		return func(int, int) float64 { drift += sigma / 20; return drift + sigma*r.NormFloat64() }
	}},
	{"a neighbour that makes half the samples 30 % slower", func(r *rand.Rand, sigma float64) func(line, arm int) float64 {
		there, left := 0.0, 0
		return func(int, int) float64 {
			if left--; left < 0 {
				there, left = math.Log(1.3)-there, 1+r.IntN(60)
			}
			return there + sigma*r.NormFloat64()
		}
	}},
}

func normal(r *rand.Rand, sigma float64) func(line, arm int) float64 {
	return func(int, int) float64 { return sigma * r.NormFloat64() }
}

// student3 is Student's distribution with 3 degrees of freedom, divided by its standard deviation.
func student3(r *rand.Rand) float64 {
	sum := 0.0
	for range 3 {
		x := r.NormFloat64()
		sum += x * x
	}
	return r.NormFloat64() / math.Sqrt(sum)
}

// ar is the next state of an autoregression of variance 1.
func ar(r *rand.Rand, state float64) float64 {
	const rho = 0.4
	return rho*state + math.Sqrt(1-rho*rho)*r.NormFloat64()
}

// A bench is the output of go test -bench of one revision.
type bench struct {
	rand   *rand.Rand
	lines  int
	count  int
	time   func(line int) float64 // in ns
	noise  func(line, arm int) float64
	append string // to each line
}

func (b bench) file() string {
	var text strings.Builder
	text.WriteString("goos: linux\ngoarch: amd64\npkg: example.org/x\ncpu: made up\n")
	for line := range b.lines {
		for range b.count {
			fmt.Fprintf(&text, "BenchmarkOp%d-8 \t 1000 \t %.6g ns/op%s\n", line, b.time(line)*math.Exp(b.noise(line, 0)), b.append)
		}
	}
	text.WriteString("PASS\nok  \texample.org/x\t1.0s\n")
	return text.String()
}

// sessions compares two files, which must be possible.
func sessions(t testing.TB, old, new string) *Report {
	t.Helper()
	a, b := read(t, old), read(t, new)
	a.Path, b.Path = "old.txt", "new.txt"
	r, err := Between(a, b, Margin)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// words counts the words of a report's gate family.
func words(r *Report) map[Word]int {
	count := map[Word]int{}
	for _, l := range r.Lines {
		if l.Gate {
			count[l.Word]++
		}
	}
	return count
}

// ab are the arms of "tpbench ab".
var ab = []string{"arm=A", "arm=A2", "arm=B"}

func itoa(n int) string     { return strconv.Itoa(n) }
func ftoa(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// written is what a writer writes.
func written(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func atof(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return v
}

// finished is a contest's test at the level of one line.
func finished(c contest) *tested {
	t := test(c, Margin)
	t.finish(Level, Level)
	return t
}
