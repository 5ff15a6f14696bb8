package harness

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// plan is three cases: one with two phases, and one that is due in every other round.
func plan() *Plan {
	return &Plan{Seed: 7, Cases: []Planned{
		{Case{Names: []string{"A/x=1"}}, []string{"A/x=1"}, 4},
		{Case{Names: []string{"B", "C"}}, []string{"B", "C"}, 4},
		{Case{Names: []string{"D"}}, []string{"D"}, 2},
	}}
}

var facts = []host.Fact{{Key: "goos", Value: "linux"}, {Key: "cpu", Value: "a cpu"}, {Key: "load", Value: "0.1"}}

// A round holds each case once; a case with half the rounds is in every other one;
// the same seed gives the same order and another seed another.
func TestOrder(t *testing.T) {
	p := plan()
	rounds := p.order()
	if len(rounds) != 4 || p.Samples() != 4+8+2 {
		t.Fatalf("%d rounds, %d samples; expected 4 and 14", len(rounds), p.Samples())
	}
	due := 0
	for r, order := range rounds {
		sorted := slices.Sorted(slices.Values(order))
		if !slices.Equal(sorted, []int{0, 1}) && !slices.Equal(sorted, []int{0, 1, 2}) {
			t.Errorf("round %d holds %v", r, order)
		}
		if len(order) == 3 {
			due++
		}
	}
	if due != 2 || len(rounds[0]) == len(rounds[1]) {
		t.Errorf("case 2 is due in %d rounds, expected every other one: %v", due, rounds)
	}
	if again := plan().order(); !slices.EqualFunc(rounds, again, slices.Equal[[]int]) {
		t.Errorf("seed 7 gave %v and %v", rounds, again)
	}
	for seed := uint64(8); ; seed++ {
		other := plan()
		other.Seed = seed
		if !slices.EqualFunc(rounds, other.order(), slices.Equal[[]int]) {
			break
		}
		if seed == 40 {
			t.Fatal("32 seeds gave one order")
		}
	}
}

// script returns a Runner whose workers run shell code; $@ is the names.
func script(code string) *Runner {
	return &Runner{Worker: func(ctx context.Context, names []string, layout int, _ time.Duration) *exec.Cmd {
		return exec.CommandContext(ctx, "sh", append([]string{"-c", code, "worker"}, names...)...)
	}}
}

const honest = `for n; do echo "Benchmark$n 1 5 ns/op"; done`

func create(t *testing.T, path string, p *Plan) *File {
	t.Helper()
	f, err := Create(path, p, facts, []Unit{{"gp-waits/op", "lower"}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A run writes its header, every sample below its round, and its end.
func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "out.txt")
	p := plan()
	var told []Progress
	r := script(honest)
	r.Progress = func(at Progress) { told = append(told, at) }
	report, err := r.Run(t.Context(), p, create(t, path, p))
	if err != nil || report.Done != 14 || len(report.Lost) != 0 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	text := read(t, path)
	for _, want := range []string{"tpbench: 1\n", "cpu: a cpu\n", "seed: 7\n", "Unit gp-waits/op better=lower\n", "# plan 14 samples\n", "# round 3 layout 3\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\nBenchmark"); n != 14 || !strings.HasSuffix(text, "# end complete\n") {
		t.Errorf("%d samples and this end: %q", n, text[len(text)-30:])
	}
	if len(told) != 10 || told[0].Done != 0 || told[0].Total != 14 || told[9].Left <= 0 {
		t.Errorf("progress: %+v", told)
	}
}

// Whatever a worker does, it costs its own samples and no others, and the file says
// why.
func TestLostWorker(t *testing.T) {
	for name, c := range map[string]struct{ code, why string }{
		"crash":   {`[ "$1" = D ] && kill -SEGV $$; ` + honest, "segmentation fault"},
		"exit":    {`[ "$1" = D ] && { echo "no luck" >&2; exit 1; }; ` + honest, "exit status 1: no luck"},
		"silence": {`[ "$1" = D ] && exit 0; ` + honest, "no line for BenchmarkD"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.txt")
			p := plan()
			report, err := script(c.code).Run(t.Context(), p, create(t, path, p))
			if err != nil || report.Done != 12 || len(report.Lost) != 2 {
				t.Fatalf("Run = %+v, %v; expected 12 samples and 2 lost", report, err)
			}
			text := read(t, path)
			if !strings.Contains(text, "# lost round 1 BenchmarkD: ") || !strings.Contains(text, c.why) || !strings.HasSuffix(text, "# end incomplete 12 of 14 samples\n") {
				t.Errorf("expected the losses and %q in\n%s", c.why, text)
			}
			// What was lost can be had by running again.
			p = plan()
			if report, err = script(honest).Run(t.Context(), p, create(t, path, p)); err != nil || report.Done != 14 {
				t.Errorf("again: Run = %+v, %v", report, err)
			}
		})
	}
}

// A worker that measured two phases loses two samples.
func TestLostPhases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	p := plan()
	report, err := script(`[ "$1" = B ] && exit 1; `+honest).Run(t.Context(), p, create(t, path, p))
	if err != nil || report.Done != 6 || len(report.Lost) != 8 {
		t.Fatalf("Run = %+v, %v; expected 6 samples and 8 lost", report, err)
	}
	if text := read(t, path); !strings.Contains(text, "# lost round 3 BenchmarkB: ") || !strings.Contains(text, "# lost round 3 BenchmarkC: ") {
		t.Errorf("expected both phases' losses in\n%s", text)
	}
}

// An interrupted run keeps what it has and says so; the next one goes on from there,
// with the first one's seed, and measures nothing twice.
func TestInterruptAndResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	p := plan()
	ctx, cancel := context.WithCancel(t.Context())
	r := script(honest)
	started := 0
	r.Progress = func(Progress) {
		if started++; started == 5 {
			cancel()
		}
	}
	report, err := r.Run(ctx, p, create(t, path, p))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, expected context.Canceled", err)
	}
	first := read(t, path)
	if want := fmt.Sprintf("# end interrupted %d of 14 samples\n", report.Done); !strings.HasSuffix(first, want) {
		t.Fatalf("expected %q at the end of\n%s", want, first)
	}

	again := plan()
	again.Seed = 99
	f := create(t, path, again)
	if f.Done() != report.Done || again.Seed != 7 {
		t.Fatalf("resumed with %d samples and seed %d; expected %d and 7", f.Done(), again.Seed, report.Done)
	}
	if report, err = script(honest).Run(t.Context(), again, f); err != nil || report.Done != 14 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	text := read(t, path)
	if !strings.HasPrefix(text, first) || strings.Count(text, "\nBenchmark") != 14 || !strings.HasSuffix(text, "# end complete\n") {
		t.Errorf("the resumed file is not the first one and the rest:\n%s", text)
	}
}

// A run that was killed in the middle of a line goes on as well; that line is no
// sample.
func TestResumeCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	p := plan()
	if _, err := script(honest).Run(t.Context(), p, create(t, path, p)); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	text = text[:strings.LastIndex(text, "ns/op")]
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	p = plan()
	f := create(t, path, p)
	if f.Done() != 13 {
		t.Fatalf("%d samples, expected 13", f.Done())
	}
	if report, err := script(honest).Run(t.Context(), p, f); err != nil || report.Done != 14 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	if n := strings.Count(read(t, path), "5 ns/op\n"); n != 14 {
		t.Errorf("%d whole samples, expected 14", n)
	}
}

// A run that was cut off before its first sample leaves nothing to go on from, and
// nothing to lose: its file is begun again, with the new run's seed.
func TestBeginAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := plan()
	if _, err := script(honest).Run(ctx, p, create(t, path, p)); !errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, expected context.Canceled", err)
	}
	p = plan()
	p.Seed = 99
	if report, err := script(honest).Run(t.Context(), p, create(t, path, p)); err != nil || report.Done != 14 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	if text := read(t, path); strings.Count(text, "seed: ") != 1 || !strings.Contains(text, "seed: 99\n") {
		t.Errorf("expected one header, with the new seed:\n%s", text)
	}
}

// A file that this run must not be mixed into is refused and stays as it was.
func TestCreateRefuses(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.txt")
	p := plan()
	if _, err := script(honest).Run(t.Context(), p, create(t, whole, p)); err != nil {
		t.Fatal(err)
	}
	cut := strings.TrimSuffix(read(t, whole), "# end complete\n")
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"complete":        {cut + "# end complete\n", "holds a whole run already"},
		"another machine": {strings.Replace(cut, "cpu: a cpu", "cpu: another", 1), `cpu was "another", now it is "a cpu"`},
		"another plan":    {strings.Replace(cut, "plan: ", "plan: f", 1), "begun by another run (plan was"},
		"not ours":        {"hello\n", "no sample to go on from"},
		"broken":          {cut + "BenchmarkX 1 zwei ns/op\n", "expected a line of a tpbench result file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.txt")
			if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := Create(path, plan(), facts, nil)
			var refused *FileError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Create = %v, expected a FileError with %q", err, c.want)
			}
			if read(t, path) != c.text {
				t.Error("the refused file was changed")
			}
		})
	}
	if _, err := Create(filepath.Join(whole, "out.txt"), plan(), facts, nil); err == nil {
		t.Error("a file below a file was created")
	}
}

// tick is an operation of a known number of counted events.
func tick(counted *uint64) *Op {
	return &Op{
		Unit: 2,
		Run: func(n int, t Timer) {
			for phase := range 2 {
				t.Start(phase)
				emptyLoop(1000 * n)
				*counted += uint64(n * (phase + 3))
				t.Stop()
				*counted += 1000 // untimed: not to be reported
			}
		},
		Counts: func() []Count { return []Count{{"events", *counted}} },
		Rate:   func() Count { return Count{"events", *counted} },
		Divide: []Count{{"event", 10}},
	}
}

// Counts are those of the timed part of their own phase, per operation.
func TestOnceCounts(t *testing.T) {
	c := openClock(t)
	var counted uint64
	cs := &Case{Names: []string{"A", "B"}, Ops: 5}
	samples, err := measure(c, cs, tick(&counted), &Env{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range samples {
		if s.ops != 10 {
			t.Errorf("%s: %d operations, expected 5 times the unit of 2", cs.Names[i], s.ops)
		}
		var ns float64
		for _, v := range s.values {
			switch v.Unit {
			case "ns/op":
				ns = v.V
			case "ns/event":
				if v.V != ns/10 {
					t.Errorf("%s: %v ns/event and %v ns/op", cs.Names[i], v.V, ns)
				}
			case "Mevents/s":
				if want := float64(i+3) / 2 / ns * 1e3; math.Abs(v.V/want-1) > 1e-9 {
					t.Errorf("%s: %v million events a second, expected %v", cs.Names[i], v.V, want)
				}
			case "events/op":
				if want := float64(i+3) / 2; v.V != want {
					t.Errorf("%s: %v events/op, expected %v", cs.Names[i], v.V, want)
				}
			default:
				t.Errorf("unexpected unit %s", v.Unit)
			}
		}
		if ns <= 0 {
			t.Errorf("%s took %v ns", cs.Names[i], ns)
		}
	}
}

// A loop is timed in batches that are long against the clock, and its counts cover
// just the batches that count.
func TestBatches(t *testing.T) {
	c := openClock(t)
	var counted uint64
	op := &Op{
		Run: func(n int, t Timer) {
			t.Start(0)
			emptyLoop(n)
			counted += uint64(n)
			t.Stop()
		},
		Counts: func() []Count { return []Count{{"loops", counted}} },
		Rate:   func() Count { return Count{"loops", counted} },
	}
	samples, err := measure(c, &Case{Names: []string{"A"}}, op, &Env{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, v := range samples[0].values {
		got[v.Unit] = v.V
		if v.Unit == "loops/op" && v.V != 1 {
			t.Errorf("%v loops/op, expected 1", v.V)
		}
		if v.Unit == "ns/op" && v.V <= 0 {
			t.Errorf("%v ns/op", v.V)
		}
	}
	// One is the median of the batches' rates, the other of their times.
	if rate, want := got["Mloops/s"], 1e3/got["ns/op"]; math.Abs(rate/want-1) > 0.25 {
		t.Errorf("%v million loops a second, expected %v", rate, want)
	}
	if least := sampleLeast * 1000; samples[0].ops < least {
		t.Errorf("%d operations in a sample, expected at least %d", samples[0].ops, least)
	}
}

// A batch beside a thread that makes no pass does not count, and a sample of
// nothing else is an error, not a number.
func TestStandstill(t *testing.T) {
	c := openClock(t)
	env := &Env{}
	hold := make(chan struct{})
	first := true
	err := env.Beside(func() (pass, end func(), err error) {
		return func() {
			if !first {
				<-hold
			}
			first = false
		}, func() {}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Stop()
	defer close(hold)
	op := &Op{Run: func(n int, t Timer) {
		t.Start(0)
		emptyLoop(n)
		t.Stop()
	}}
	for _, ops := range []int{0, 100_000} {
		if _, err := measure(c, &Case{Names: []string{"A"}, Ops: ops}, op, env, 0); !errors.Is(err, ErrStandstill) {
			t.Errorf("Ops %d: measure = %v, expected ErrStandstill", ops, err)
		}
	}
}

// A case that needs more CPUs than there are is refused in one sentence.
func TestCheckCPUs(t *testing.T) {
	cs := &Case{Names: []string{"A"}, CPUs: 2}
	if err := cs.CheckCPUs([]int{0, 3}); err != nil {
		t.Error(err)
	}
	var refused *host.UnavailableError
	if err := cs.CheckCPUs([]int{3}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "needs 2 CPUs and this process may use 1 (3)") {
		t.Errorf("CheckCPUs = %v", err)
	}
}

// Values survive being printed to six digits, without an exponent, which not every
// reader of the format takes.
func TestFormatValue(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 1000: "1000", 0.033841: "0.033841", 1.6578912: "1.65789",
		20534128000: "20534128000", 1234567.8: "1234568", 0.0000012345678: "0.00000123457", 999999.6: "1000000",
	} {
		if got := formatValue(v); got != want {
			t.Errorf("formatValue(%v) = %s, expected %s", v, got, want)
		}
	}
}

func openClock(t *testing.T) *clock.Clock {
	t.Helper()
	c, err := clock.Open()
	if errors.Is(err, clock.ErrUnavailable) && !strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "tsc") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What the harness itself costs: an empty Start/Stop pair of its timer.
func BenchmarkTimer(b *testing.B) {
	c, err := clock.Open()
	if err != nil {
		b.Skip(err)
	}
	t := newTimer(c, &Op{}, 1)
	for b.Loop() {
		t.Start(0)
		t.Stop()
	}
}

func BenchmarkCanary(b *testing.B) {
	if _, err := clock.Open(); err != nil {
		b.Skip(err)
	}
	for b.Loop() {
		quiet()
	}
}
