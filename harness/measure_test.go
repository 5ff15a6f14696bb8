package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// fakeClock is a clock of 1 GHz, so that ticks are ns, with that step and overhead in ns.
func fakeClock(t *testing.T, step, overhead float64) *clock.Clock {
	t.Helper()
	c := new(clock.Clock)
	text := fmt.Sprintf("tsc/1 hz=1e+09 hz-err=0 step-ns=%v pair-ns=%v pair-p10=0 pair-p90=1000", step, overhead)
	must(t, c.UnmarshalText([]byte(text)))
	return c
}

// If this fails, the clock's overhead is not subtracted from a timed part, or twice; or counts
// from outside of the timed part are added.
func TestPhaseAdds(t *testing.T) {
	c := fakeClock(t, 10, 25)
	p := phase{counts: []Count{{"waits", 0}, {"syncs", 0}}}
	p.add(c, 1000, []Count{{"waits", 5}, {"syncs", 7}}, []Count{{"waits", 6}, {"syncs", 10}}, Count{"hits", 100}, Count{"hits", 140})
	p.add(c, 2000, []Count{{"waits", 50}, {"syncs", 70}}, []Count{{"waits", 50}, {"syncs", 71}}, Count{"hits", 500}, Count{"hits", 503})
	p.add(c, 3, []Count{{"waits", 0}, {"syncs", 0}}, []Count{{"waits", 0}, {"syncs", 0}}, Count{}, Count{"hits", 0})
	if p.ns != 975+1975 {
		t.Errorf("%v ns, want 1000-25 and 2000-25, and 0 for 3", p.ns)
	}
	if !slices.Equal(p.counts, []Count{{"waits", 1}, {"syncs", 4}}) || p.rated != (Count{"hits", 43}) {
		t.Errorf("counted %v and rated %v", p.counts, p.rated)
	}
}

// If this fails, the timer times more than what is between Start and Stop, such as its own
// counting, or less. However long the scheduler takes, the shorter span is within the longer.
func TestTimerBracketsItsPart(t *testing.T) {
	c := openClock(t)
	var thread sync.WaitGroup
	thread.Go(func() { // pinned: two CPUs may have different counters
		allowed, err := host.Allowed()
		if err = errors.Join(err, host.Pin(allowed[0])); err != nil {
			t.Error(err)
			return
		}
		var counting, counted uint64 // when the last call of Counts began and ended
		op := &Op{Counts: func() []Count {
			counting = clock.Start()
			emptyLoop(100_000)
			counted = clock.Stop()
			return nil
		}}
		timer := newTimer(c, nil, op, 2)
		for phase := range 2 {
			timer.Start(phase)
			outer, inner := counted, clock.Start()
			emptyLoop(1_000_000)
			within := c.NS(clock.Stop() - inner)
			timer.Stop()
			around := c.NS(counting - outer)
			if ns := timer.phases[phase].ns; ns < within-c.Overhead().Median || ns > around {
				t.Errorf("phase %d took %v ns, which lasted %v at least and %v at most", phase, ns, within, around)
			}
		}
	})
	thread.Wait()
}

// loop runs an empty loop.
func loop(n int, t Timer) {
	t.Start(0)
	emptyLoop(n)
	t.Stop()
}

// A synthetic is a simulated machine that runs one operation.
type synthetic struct {
	rnd      *rand.Rand
	now      time.Time
	perOp    float64 // ns
	hiccup   float64 // the share of batches in which the kernel takes the CPU away
	unseen   float64 // the share of batches that take longer without being marked
	neighbor float64 // the share of shared batches, which take half as long again
	slowFor  int     // the number of batches at the beginning that take ten times as long

	batches []batch // all of them
}

const waitsPerOp = 3

func (m *synthetic) batch(n int) (batch, error) {
	ns := float64(n) * m.perOp * (1 + 0.01*m.rnd.Float64())
	b := batch{counts: true, quiet: true}
	if m.slowFor--; m.slowFor >= 0 {
		ns *= 10
	}
	if m.rnd.Float64() < m.neighbor {
		b.quiet = false
		ns *= 1.5
	}
	if m.rnd.Float64() < m.unseen {
		ns += 3e6 * m.rnd.Float64()
	}
	if m.rnd.Float64() < m.hiccup {
		b.counts = false
		ns += 4e6
	}
	waits := uint64(waitsPerOp*n + m.rnd.IntN(n+1))
	b.phases = []phase{{ns: ns, counts: []Count{{"waits", waits}}, rated: Count{"hits", uint64(2 * n)}}}
	m.now = m.now.Add(time.Duration(ns) + 20*time.Microsecond)
	m.batches = append(m.batches, b)
	return b, nil
}

func (m *synthetic) sampler() *sampler {
	return &sampler{
		op: &Op{Unit: 2, Divide: []Count{{"event", 10}}}, least: batchMin,
		batch: m.batch, quiet: func() bool { return true }, now: func() time.Time { return m.now },
	}
}

// value returns the value with the unit, or NaN.
func (s *sample) value(unit string) float64 {
	for _, v := range s.values {
		if v.Unit == unit {
			return v.V
		}
	}
	return math.NaN()
}

// check returns an error if the sample is wrong for the batches. Right is: the median of
// the batches that count, all of one size and long enough, with the counts of
// those batches only, and the numbers of kept and shared batches.
func (m *synthetic) check(samples []sample) error {
	if len(samples) != 1 {
		return fmt.Errorf("%d samples of one phase", len(samples))
	}
	// The sample is made of the last batches, as many as it has tried.
	s := samples[0]
	size := func(b batch) int { return int(b.phases[0].rated.N) / 2 }
	n := size(m.batches[len(m.batches)-1])
	var ns, rates []float64
	var lasted, last float64
	shared, waits := 0, uint64(0)
	for _, b := range m.batches[len(m.batches)-s.tried:] {
		if size(b) != n {
			return fmt.Errorf("batches of %d and of %d operations in one sample", size(b), n)
		}
		if b.counts {
			last = b.phases[0].ns
			rates = append(rates, float64(b.phases[0].rated.N)/last*1e3)
			ns, lasted, waits = append(ns, last), lasted+last, waits+b.phases[0].counts[0].N
			if !b.quiet {
				shared++
			}
		}
	}
	if s.kept != len(ns) || s.shared != shared || s.kept < sampleLeast || s.ops != 2*n*s.kept {
		return fmt.Errorf("kept %d, shared %d, %d operations; want %d, %d, %d", s.kept, s.shared, s.ops, len(ns), shared, 2*n*len(ns))
	}
	middle := func(values []float64) float64 {
		slices.Sort(values)
		return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	}
	median := middle(ns)
	// It ends when it has lasted long enough, or at the deadline.
	switch {
	case s.kept > sampleBatches || s.kept > sampleLeast && lasted-last >= sampleTime:
		return fmt.Errorf("%d batches of %v ns in all", s.kept, lasted)
	case s.kept < sampleBatches && lasted < sampleTime && m.now.Sub(s.at) <= sampleLimit:
		return fmt.Errorf("only %d batches of %v ns in all", s.kept, lasted)
	}
	if median < batchMin {
		return fmt.Errorf("batches of %v ns, where %v is the least", median, batchMin)
	}
	for unit, want := range map[string]float64{
		"ns/op": median / float64(2*n), "ns/event": median / float64(20*n),
		"waits/op": float64(waits) / float64(s.ops), "Mhits/s": middle(rates),
	} {
		if got := s.value(unit); !(math.Abs(got/want-1) <= 1e-9) {
			return fmt.Errorf("%v %s, want %v", got, unit, want)
		}
	}
	if s.disturbed() != (float64(shared) > 0.25*float64(len(ns))) {
		return fmt.Errorf("disturbed %v with %d of %d batches shared", s.disturbed(), shared, len(ns))
	}
	return nil
}

// If this fails, there is a machine on which a sample is wrong.
func TestSampleOfSyntheticMachines(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	share := func() float64 {
		if rnd.IntN(2) == 0 {
			return 0
		}
		return rnd.Float64() / 2
	}
	standstills := 0
	for i := range 400 {
		m := &synthetic{
			rnd: rnd, now: time.Now(), perOp: math.Exp(rnd.Float64()*18 - 1), // 0.4 ns to 24 ms
			hiccup: share(), unseen: share() / 4, neighbor: share(), slowFor: rnd.IntN(20),
		}
		samples, err := m.sampler().measure(t.Context(), &Case{Names: []string{"A"}}, 0)
		if errors.Is(err, errStandstill) {
			standstills++
			continue
		}
		if err == nil {
			err = m.check(samples)
		}
		if err != nil {
			t.Fatalf("seed %d, machine %d (%v ns/op, hiccup %.2f, unseen %.2f, neighbour %.2f): %v",
				seed, i, m.perOp, m.hiccup, m.unseen, m.neighbor, err)
		}
	}
	if standstills > 100 {
		t.Errorf("seed %d: no sample of %d machines of 400", seed, standstills)
	}
}

// If this fails, fit accepts a number of operations because of batches that last long enough
// only because the kernel took the CPU away.
func TestFitNeedsBatchesThatCount(t *testing.T) {
	for disturbed := range 30 {
		m := &synthetic{rnd: rand.New(rand.NewPCG(1, 1)), now: time.Now(), perOp: 100}
		s := m.sampler()
		s.batch = func(n int) (batch, error) {
			m.hiccup = 0
			if len(m.batches) < disturbed {
				m.hiccup = 1
			}
			return m.batch(n)
		}
		n, err := s.fit(t.Context(), 1, m.now.Add(time.Hour))
		if err != nil || float64(n)*m.perOp*1.01 < batchMin || n > 2*batchMin/int(m.perOp) {
			t.Errorf("after %d disturbed batches: %d operations of 100 ns, %v", disturbed, n, err)
		}
	}
}

// If this fails, a batch is not shared although the canary saw a neighbour before or after it,
// or is shared although it saw none.
func TestCanaryBesideBatches(t *testing.T) {
	c := openClock(t)
	for _, tc := range []struct{ before, after bool }{{true, true}, {false, true}, {true, false}, {false, false}} {
		s := newSampler(c, &Case{Names: []string{"A"}}, &Op{Run: loop}, &Env{}, 0)
		calls := 0
		s.quiet = func() bool {
			calls++
			return calls%2 == 1 && tc.before || calls%2 == 0 && tc.after
		}
		b, err := s.batch(100)
		if err != nil || calls != 2 || b.quiet != (tc.before && tc.after) {
			t.Errorf("quiet before %v and after %v: quiet %v, the canary ran %d times, %v", tc.before, tc.after, b.quiet, calls, err)
		}
	}
}

// If this fails, a sample of a guest in virtual time is called disturbed and its block measured again, or one
// of the host never is.
func TestCanaryInVirtualTime(t *testing.T) {
	if canary(true)() != true || reflect.ValueOf(canary(true)).Pointer() == reflect.ValueOf(quiet).Pointer() {
		t.Error("the canary runs in virtual time")
	}
	if reflect.ValueOf(canary(false)).Pointer() != reflect.ValueOf(quiet).Pointer() {
		t.Error("the canary does not run in wall time")
	}
}

// If this fails, a batch in which the kernel took the CPU away counts; or one of a case with
// fixed Ops, which may sleep, does not count; or an error of reading the switches is lost.
func TestSwitchesDuringBatches(t *testing.T) {
	c := openClock(t)
	unread := errors.New("unread")
	for _, tc := range []struct {
		ops     int
		more    int64 // switches meanwhile
		failing int   // the number of the call that fails, from 1; 0: none
		counts  bool
	}{{0, 0, 0, true}, {0, 1, 0, false}, {0, 7, 0, false}, {5, 0, 0, true}, {5, 7, 0, true}, {0, 0, 1, false}, {0, 0, 2, true}, {5, 0, 2, true}} {
		s := newSampler(c, &Case{Names: []string{"A"}, Ops: tc.ops}, &Op{Run: loop}, &Env{}, 0)
		calls := 0
		s.switches = func() (int64, error) {
			calls++
			if calls == tc.failing {
				return 100, unread
			}
			return 100 + int64(calls-1)*tc.more, nil
		}
		b, err := s.batch(100)
		if b.counts != tc.counts || (tc.failing > 0) != errors.Is(err, unread) || tc.failing == 0 && err != nil {
			t.Errorf("%+v: counts %v, %v", tc, b.counts, err)
		}
	}
}

// If this fails, a batch is so short that the clock's step is more than a thousandth of
// it, or that a thread beside it makes no pass in it although it runs.
func TestBatchesOutlastTheStep(t *testing.T) {
	for _, step := range []float64{0.4, 10, 50, 51, 1000} {
		if s := newSampler(fakeClock(t, step, 0), &Case{Names: []string{"A"}}, &Op{}, &Env{}, 0); s.least != max(50_000, 1000*step) {
			t.Errorf("batches of %v ns with steps of %v ns", s.least, step)
		}
	}
}

// If this fails, one long reading of the canary counts as a neighbour.
func TestShortest(t *testing.T) {
	for at := range canaryRepeats {
		n := 0
		read := func() uint64 {
			if n++; n-1 == at {
				return 70
			}
			return 100 + uint64(n)
		}
		if a, b := shortest(read, func() uint64 { return 50 - uint64(n) }); a != 70 || b != 50-canaryRepeats {
			t.Errorf("the shortest at %d: %d and %d", at, a, b)
		}
	}
}

// If this fails, a worker measures at another layout, or with another round, than
// its coordinator writes to the file; or its lines do not say that the sample is disturbed.
func TestWork(t *testing.T) {
	c := openClock(t)
	var env Env
	collects := false
	cs := &Case{Names: []string{"A", "B", "C"}, CPUs: 1, Ops: 3, Open: func(e *Env) (*Op, error) {
		env = *e
		return &Op{Run: func(_ int, t Timer) {
			collects = debug.SetGCPercent(-1) >= 0
			for phase := range 3 {
				t.Start(phase)
				emptyLoop(1000)
				t.Stop()
			}
		}}, nil
	}}
	var out strings.Builder
	must(t, work(t.Context(), &out, c, cs, Task{Names: []string{"A", "C"}, Round: 5, Layout: 2}))
	if env.Layout != 2 || env.Round != 5 || !env.Pinned || collects {
		t.Errorf("opened in %+v; the collector may run: %v", env, collects)
	}
	lines := regexp.MustCompile(`^(# sample at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z tried \d+ kept 1 shared [01]( disturbed)?\nBenchmark[AC] 3 [0-9.]+ ns/op\n){2}$`)
	if !lines.MatchString(out.String()) {
		t.Errorf("wrote %q", out.String())
	}
	s := sample{ops: 7, tried: 9, kept: 8, shared: 2, values: []Value{{"ns/op", 1.23456789}}}
	if got, want := s.lines("X"), "# sample at 0001-01-01T00:00:00.000Z tried 9 kept 8 shared 2\nBenchmarkX 7 1.23457 ns/op\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if s.shared++; !strings.Contains(s.lines("X"), " shared 3 disturbed\n") {
		t.Errorf("disturbed: %q", s.lines("X"))
	}
}

// work calls Work on another goroutine, with one P, and then undoes what Work changes in the process.
func work(ctx context.Context, w io.Writer, c *clock.Clock, cs *Case, task Task) error {
	done := make(chan error)
	go func() { // Work pins the thread, which ends with the goroutine
		procs, percent := runtime.GOMAXPROCS(1), debug.SetGCPercent(100)
		defer runtime.GOMAXPROCS(procs)
		defer debug.SetGCPercent(percent)
		done <- Work(ctx, w, c, cs, task)
	}()
	return <-done
}

// If this fails, a worker whose case cannot be measured writes samples, or returns another
// error; or does not close the case.
func TestWorkFails(t *testing.T) {
	c := openClock(t)
	broken := errors.New("broken")
	closed := 0
	op := &Op{Run: loop, Close: func() { closed++ }}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	var few *host.UnavailableError
	for _, tc := range []struct {
		ctx    context.Context
		cpus   int
		open   error
		want   func(error) bool
		closed int
	}{
		{t.Context(), 1 << 20, nil, func(err error) bool { return errors.As(err, &few) }, 0},
		{t.Context(), 1, broken, func(err error) bool { return errors.Is(err, broken) }, 0},
		{interrupted, 1, nil, func(err error) bool { return errors.Is(err, context.Canceled) }, 1},
	} {
		closed = 0
		cs := &Case{Names: []string{"A"}, CPUs: tc.cpus, Open: func(*Env) (*Op, error) { return op, tc.open }}
		var out strings.Builder
		if err := work(tc.ctx, &out, c, cs, Task{Names: cs.Names}); !tc.want(err) || out.Len() > 0 || closed != tc.closed {
			t.Errorf("%d CPUs, open %v: %v, closed %d times, wrote %q", tc.cpus, tc.open, err, closed, &out)
		}
	}
}

// If this fails, a sample is disturbed by another share of shared batches than more than a quarter.
func TestDisturbed(t *testing.T) {
	for _, tc := range []struct {
		kept, shared int
		want         bool
	}{{100, 0, false}, {100, 25, false}, {100, 26, true}, {100, 100, true}, {1, 0, false}, {1, 1, true}, {5, 1, false}, {5, 2, true}} {
		s := sample{kept: tc.kept, shared: tc.shared}
		if s.disturbed() != tc.want {
			t.Errorf("%d of %d: disturbed %v, want %v", tc.shared, tc.kept, s.disturbed(), tc.want)
		}
	}
}

// If this fails, a worker does not end although its operation times nothing.
func TestSampleOfNothing(t *testing.T) {
	idle := &synthetic{rnd: rand.New(rand.NewPCG(1, 2)), now: time.Now()}
	if _, err := idle.sampler().measure(t.Context(), &Case{Names: []string{"A"}}, 0); err == nil {
		t.Error("an operation that takes no time made a sample")
	}
}

// If this fails, a sample is made of too few batches, or of those before one that failed; or a
// worker does not end although no batch counts.
func TestSampleNeedsItsBatches(t *testing.T) {
	broken := errors.New("broken")
	for _, tc := range []struct{ ops, fit, least int }{{0, fitBatches, sampleLeast}, {1, 0, 1}} {
		for good := range tc.fit + 2*sampleLeast {
			for then, want := range map[string]error{
				"no batch counts": errStandstill, "one fails": broken, "it is interrupted": context.Canceled,
			} {
				m := &synthetic{rnd: rand.New(rand.NewPCG(1, 4)), now: time.Now(), perOp: batchMin}
				ctx, cancel := context.WithCancel(t.Context())
				s := m.sampler()
				left := good
				s.batch = func(n int) (batch, error) {
					left--
					var err error
					switch {
					case left >= 0:
					case then == "no batch counts":
						m.hiccup = 1
					case left == -1 && then == "one fails":
						err = broken
					case then == "it is interrupted":
						cancel()
					}
					b, _ := m.batch(n)
					return b, err
				}
				began := m.now
				samples, err := s.measure(ctx, &Case{Names: []string{"A"}, Ops: tc.ops}, 0)
				cancel()
				if took := m.now.Sub(began); took > sampleLimit*11/10 {
					t.Errorf("Ops %d, after %d batches %s: gave up after %v", tc.ops, good, then, took)
				}
				if good >= tc.fit+tc.least && (then == "no batch counts" || tc.ops > 0) {
					want = nil
				}
				if !errors.Is(err, want) || want == nil && (len(samples) != 1 || samples[0].kept < tc.least) || want != nil && samples != nil {
					t.Errorf("Ops %d, after %d batches %s: %+v, %v; want %v", tc.ops, good, then, samples, err, want)
				}
			}
		}
	}
}

// If this fails, a sample of a case with fixed Ops has a wrong number of tries, or is not shared,
// or lacks one of its phases, or has the values of another one.
func TestOnce(t *testing.T) {
	tries := 0
	s := &sampler{
		op: &Op{Values: func(phase int) []Value { return []Value{{"own", 42 + float64(phase)}} }}, quiet: func() bool { return true }, now: time.Now,
		batch: func(n int) (batch, error) {
			tries++
			return batch{counts: tries == 3, quiet: false, phases: []phase{
				{ns: 1000, counts: []Count{{"waits", 10}}},
				{ns: 0},
				{ns: 3000, counts: []Count{{"waits", 5}}},
			}}, nil
		},
	}
	samples, err := s.measure(t.Context(), &Case{Names: []string{"A", "B", "C"}, Ops: 5}, 0)
	if err != nil || len(samples) != 3 {
		t.Fatalf("%v, %v", samples, err)
	}
	for i, want := range []string{"[{ns/op 200} {waits/op 2} {own 42}]", "[{own 43}]", "[{ns/op 600} {waits/op 1} {own 44}]"} {
		if got := fmt.Sprint(samples[i].values); got != want {
			t.Errorf("phase %d: %s, want %s", i, got, want)
		}
		if s := samples[i]; s.tried != 3 || s.kept != 1 || s.shared != 1 || s.ops != 5 || !s.disturbed() {
			t.Errorf("phase %d: %+v", i, s)
		}
	}

	// What such a case has found must not be forgotten because a neighbour was there.
	tries = 0
	samples, err = s.measure(t.Context(), &Case{Names: []string{"A", "B", "C"}, Ops: 5, Untimed: true}, 0)
	if err != nil || samples[0].disturbed() || samples[2].disturbed() {
		t.Errorf("a case whose values are no times is disturbed: %+v, %v", samples, err)
	}
}

// If this fails, a case with fixed Ops is timed once in a guest in virtual time, with all that it is the first to
// touch; or more than once on the host, where a long batch is interrupted; or a long one for too long.
func TestFixedOpsInVirtualTime(t *testing.T) {
	for _, tc := range []struct {
		virtual bool
		ns      float64 // of a batch
		ops     int
		calls   int
		kept    int
	}{
		{false, 1e5, 7, 1, 1},
		{true, 1e5, 7, 1 + sampleBatches, sampleBatches},
		{true, 3e7, 7, 1 + 4, 4},  // sampleTime
		{true, 70e9, 7, 1 + 1, 1}, // one counts, however long it is
	} {
		calls, now := 0, time.Now()
		s := &sampler{op: &Op{}, virtual: tc.virtual, quiet: func() bool { return true }, now: func() time.Time { return now }}
		s.batch = func(n int) (batch, error) {
			if n != tc.ops {
				t.Errorf("%+v: a batch of %d", tc, n)
			}
			ns := tc.ns
			if calls++; calls == 1 && tc.virtual {
				ns *= 5
			}
			now = now.Add(time.Duration(tc.ns))
			return batch{counts: true, quiet: true, phases: []phase{{ns: ns}}}, nil
		}
		samples, err := s.measure(t.Context(), &Case{Names: []string{"A"}, Ops: tc.ops}, 0)
		if err != nil || calls != tc.calls || samples[0].kept != tc.kept || samples[0].value("ns/op") != tc.ns/float64(tc.ops) {
			t.Errorf("%+v: %d calls, %+v, %v", tc, calls, samples, err)
		}
	}
	unread := errors.New("unread")
	s := &sampler{op: &Op{}, virtual: true, quiet: func() bool { return true }, now: time.Now, batch: func(int) (batch, error) { return batch{}, unread }}
	if _, err := s.measure(t.Context(), &Case{Names: []string{"A"}, Ops: 1}, 0); !errors.Is(err, unread) {
		t.Errorf("the error of the first batch is lost: %v", err)
	}
}

// If this fails, a sampler does not wait for a quiet core, or waits for longer than patience.
func TestPatience(t *testing.T) {
	for _, tc := range []struct {
		patience, noise, waited time.Duration
	}{{time.Second, 0, 0}, {time.Second, 300 * time.Millisecond, 300 * time.Millisecond}, {time.Second, time.Hour, time.Second}, {0, time.Hour, 0}} {
		m := &synthetic{rnd: rand.New(rand.NewPCG(1, 3)), now: time.Now(), perOp: 100}
		began := m.now
		s := m.sampler()
		s.quiet = func() bool {
			m.now = m.now.Add(10 * time.Millisecond)
			return m.now.Sub(began) > tc.noise
		}
		samples, err := s.measure(t.Context(), &Case{Names: []string{"A"}}, tc.patience)
		must(t, err)
		if waited := samples[0].at.Sub(began); waited < tc.waited || waited > tc.waited+20*time.Millisecond {
			t.Errorf("with a patience of %v and %v of noise it waited %v", tc.patience, tc.noise, waited)
		}
	}
}

// If this fails, a neighbour with which fetch-bound code takes half as long again is not seen, or
// the steps of the clock count as a neighbour.
func TestAlone(t *testing.T) {
	const chain = canaryChain * imulCycles // ticks, at one for a cycle
	for _, tc := range []struct {
		empty, chain uint64
		want         bool
	}{
		{canaryLoops, chain, true},
		{canaryLoops * 3 / 2, chain, false},
		{canaryLoops + 26, chain - 26, true}, // a step each way
		{canaryLoops * 2, chain * 2, true},   // a slower core makes both longer
		{canaryLoops * 116 / 100, chain, false},
		{canaryLoops * 114 / 100, chain, true},
	} {
		if got := alone(tc.empty, tc.chain); got != tc.want {
			t.Errorf("%d ticks for %d empty iterations and %d for the chain: alone %v", tc.empty, canaryLoops, tc.chain, got)
		}
	}
}

// If this fails, the canary does not run its loops, or runs too few iterations, so its result does
// not depend on a neighbour. No CPU runs eight iterations, or eight cycles of the chain, in a tick.
func TestCanaryRunsItsLoops(t *testing.T) {
	openClock(t)
	begin := clock.Start()
	empty, chain := readings()
	around := clock.Stop() - begin
	if canaryRepeats*(empty+chain) > around {
		t.Errorf("%d readings of %d and %d ticks or more in %d", canaryRepeats, empty, chain, around)
	}
	if empty < canaryLoops/8 || chain < canaryChain*imulCycles/8 {
		t.Errorf("%d empty iterations in %d ticks, and a chain of %d cycles in %d", canaryLoops, empty, canaryChain*imulCycles, chain)
	}
}

// If this fails, a batch counts although a thread beside it makes no pass.
func TestStandstill(t *testing.T) {
	c := openClock(t)
	env := &Env{}
	hold := make(chan struct{})
	passes := 0
	must(t, env.BesideWaiting(func() (pass, end func(), err error) { // its time on the CPU does not matter
		return func() {
			if passes++; passes > 2 {
				<-hold
			}
		}, func() {}, nil
	}))
	defer env.Stop()
	defer close(hold)
	for env.threads[0].passes.Load() == 0 {
		runtime.Gosched()
	}
	for _, ops := range []int{0, 1} {
		b, err := newSampler(c, &Case{Names: []string{"A"}, Ops: ops}, &Op{Run: loop}, env, 0).batch(100_000)
		if err != nil || b.counts {
			t.Errorf("Ops %d: %+v, %v", ops, b, err)
		}
	}
}

// If this fails, a batch counts although a thread beside it was kept off its CPU, or does not
// count because a thread that may sleep slept.
func TestThreadsNeedTheirCPU(t *testing.T) {
	const elapsed = time.Millisecond
	for _, tc := range []struct {
		passes uint64
		onCPU  time.Duration
		busy   bool // moved, for a thread that should be busy
		waits  bool // moved, for one that may sleep
	}{
		{1, elapsed, true, true}, {1, elapsed / 2, true, true}, {9, elapsed/2 - 1, false, true}, {1, 0, false, true},
		{0, elapsed, false, false}, {0, 0, false, false},
	} {
		busy := (&thread{}).moved(tc.passes, tc.onCPU, elapsed)
		waits := (&thread{waits: true}).moved(tc.passes, tc.onCPU, elapsed)
		if busy != tc.busy || waits != tc.waits {
			t.Errorf("%d passes, %v of %v: moved %v, or %v if it may sleep", tc.passes, tc.onCPU, elapsed, busy, waits)
		}
	}
	var env Env
	defer env.Stop()
	// The thread is on its CPU for longer before the watch than during it.
	sleepy := func() (pass, end func(), err error) {
		for tid := threadID(); threadTime(tid) < 100*time.Millisecond; {
		}
		return func() { time.Sleep(time.Millisecond) }, func() {}, nil
	}
	for _, tc := range []struct {
		start func(func() (pass, end func(), err error)) error
		moved bool
	}{{env.BesideWaiting, true}, {env.Beside, false}} {
		must(t, tc.start(sleepy))
		moved := env.watch()
		for _, th := range env.threads {
			for from := th.passes.Load(); th.passes.Load() < from+10; {
				time.Sleep(time.Millisecond)
			}
		}
		if moved() != tc.moved {
			t.Errorf("threads that sleep moved: %v, and all may sleep: %v", !tc.moved, tc.moved)
		}
	}
}

// If this fails, a case measures without a thread that it starts, or with more threads than it
// has CPUs.
func TestBesideFails(t *testing.T) {
	broken := errors.New("broken")
	var ended atomic.Int32
	ok := func() (pass, end func(), err error) { return runtime.Gosched, func() { ended.Add(1) }, nil }
	env := &Env{}
	if err := env.Beside(func() (pass, end func(), err error) { return nil, nil, broken }); !errors.Is(err, broken) {
		t.Errorf("a thread that cannot open: %v", err)
	}
	if err := errors.Join(env.Beside(ok), env.BesideWaiting(ok)); err != nil {
		t.Error(err)
	}
	if env.Stop(); ended.Load() != 2 || len(env.threads) != 0 {
		t.Errorf("%d of 2 threads ended, %d are left", ended.Load(), len(env.threads))
	}
	if err := (&Env{Pinned: true}).Beside(ok); err == nil {
		t.Error("a thread started without a CPU for it")
	}
	if err := (&Env{Pinned: true, CPUs: []int{1 << 20}}).Beside(ok); err == nil {
		t.Error("a thread started on a CPU that does not exist")
	}
}

// tick returns an operation that counts a known number of events.
func tick(counted *uint64, phases int) *Op {
	return &Op{
		Unit: 2,
		Run: func(n int, t Timer) {
			for phase := range phases {
				t.Start(phase)
				emptyLoop(1000 * n)
				*counted += uint64(n * (phase + 3))
				t.Stop()
				*counted += 1000 // untimed: not to be reported
			}
		},
		Counts: func() []Count { return []Count{{"events", *counted}} },
		Rate:   func() Count { return Count{"events", *counted} },
	}
}

// If this fails, on the real machine, counts are not those of the timed part of their phase per
// operation: of a fixed number of operations, or of one that fit found.
func TestCounts(t *testing.T) {
	c := openClock(t)
	for _, ops := range []int{0, 5} {
		var counted uint64
		cs := &Case{Names: []string{"A", "B"}, Ops: ops}
		if ops == 0 {
			cs.Names = cs.Names[:1]
		}
		op := tick(&counted, len(cs.Names))
		samples, err := newSampler(c, cs, op, &Env{}, 0).measure(t.Context(), cs, 0)
		if errors.Is(err, errStandstill) {
			t.Skip(err) // the tests with synthetic machines do not depend on this one
		}
		must(t, err)
		for i, s := range samples {
			want := float64(i+3) / 2
			if got := s.value("events/op"); got != want {
				t.Errorf("%s: %v events/op, expected %v", cs.Names[i], got, want)
			}
			if ns := s.value("ns/op"); !(ns > 0) || ops > 0 && !(math.Abs(s.value("Mevents/s")/(want/ns*1e3)-1) <= 1e-9) {
				t.Errorf("%s: %v", cs.Names[i], s.values)
			}
		}
	}
}
