package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// plan has two blocks. In one is a case with two layouts. In the other is a case with two
// phases, and one that is due in every second round.
func plan() *Plan {
	return &Plan{Seed: 7, Cases: []Planned{
		{Case: Case{Names: []string{"A/x=1"}, Layouts: 2}, Wanted: []string{"A/x=1"}, Rounds: 3, Block: "A"},
		{Case: Case{Names: []string{"B", "C"}}, Wanted: []string{"B", "C"}, Rounds: 4, Block: "rest"},
		{Case: Case{Names: []string{"D"}}, Wanted: []string{"D"}, Rounds: 2, Block: "rest"},
	}}
}

var facts = []host.Fact{{Key: "goos", Value: "linux"}, {Key: "cpu", Value: "a cpu"}, {Key: "kernel", Value: "6.1"}, {Key: "binary", Value: "abc"}, {Key: "load", Value: "0.1"}}

// script returns a Runner whose workers run shell code. $@, $round, $layout and $arm are the names,
// the round, the layout and the arm of the task.
func script(code string) *Runner {
	return &Runner{Worker: func(ctx context.Context, task Task) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", code, "worker"}, task.Names...)...)
		cmd.Env = append(os.Environ(), fmt.Sprint("round=", task.Round), fmt.Sprint("layout=", task.Layout), "arm="+task.Arm)
		return cmd
	}}
}

// samples returns a worker's code. It runs prepare for each name $n and then prints a sample,
// whose shares are $s.
func samples(prepare string) string {
	return `for n; do s="shared 0"; ` + prepare + `
		echo "# sample at 2026-01-02T03:04:05.678Z tried 1 kept 1 $s"
		echo "Benchmark$n 1 5 ns/op $round round $layout layout"
	done`
}

var honest = samples("")

// onto returns an empty File whose lines are written to w.
func onto(w file) *File { return &File{f: w, done: map[sampleID]bool{}} }

func create(t *testing.T, path string, p *Plan) *File {
	t.Helper()
	f, err := Create(path, p, facts, []Unit{{"gp-waits/op", "lower", true}})
	must(t, err)
	return f
}

// runPlan runs plan into the file, and returns what the file then holds.
func runPlan(ctx context.Context, t *testing.T, r *Runner, path string) (Report, string, error) {
	t.Helper()
	p := plan()
	report, err := r.Run(ctx, p, create(t, path, p))
	return report, read(t, path), err
}

// interruptedWhen returns a Runner of honest workers, and a context that it ends before the first
// sample for which when is true.
func interruptedWhen(t *testing.T, when func(Progress) bool) (*Runner, context.Context) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := script(honest)
	r.Progress = func(at Progress) {
		if when(at) {
			cancel()
		}
	}
	return r, ctx
}

// must ends the test if a step of it failed that is not what it tests.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}

// If this fails, a line of the file is missing, or progress counts samples wrongly.
func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "out.txt")
	var told []Progress
	r := script(honest)
	r.Progress = func(at Progress) { told = append(told, at) }
	report, text, err := runPlan(t.Context(), t, r, path)
	if err != nil || report.Done != 14 || len(report.Lost) != 0 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	for _, want := range []string{"tpbench: 2\n", "cpu: a cpu\n", "seed: 7\n", "Unit gp-waits/op better=lower assume=exact\n", "# plan 14 samples\n# session ", " round 3 layout 1\n", " round 3\n"} {
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
	done := 0
	for _, at := range told {
		if at.Done != done {
			t.Errorf("%d samples are done before %s, not %d", done, at.Next, at.Done)
		}
		if done++; at.Next == "B" { // and C
			done++
		}
	}
}

// If this fails, a worker that fails costs the samples of others, or not those of all its names; or
// the file does not say why its own are missing; or another run does not measure them.
func TestLostWorker(t *testing.T) {
	for name, c := range map[string]struct {
		code      string
		done      int
		lost, why string // in the file
		next      string // the samples of another run
	}{
		"crash":   {`[ "$1" = D ] && kill -SEGV $$; `, 12, "# lost round 2 BenchmarkD: ", "segmentation fault", "D D"},
		"exit":    {`[ "$1" = D ] && { echo "no luck" >&2; exit 1; }; `, 12, "# lost round 2 BenchmarkD: ", "exit status 1: no luck", "D D"},
		"silence": {`[ "$1" = D ] && exit 0; `, 12, "# lost round 2 BenchmarkD: ", "no line for BenchmarkD", "D D"},
		"phases":  {`[ "$1" = B ] && exit 1; `, 6, "# lost round 3 BenchmarkB: ", "# lost round 3 BenchmarkC: ", "B B B B"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.txt")
			report, text, err := runPlan(t.Context(), t, script(c.code+honest), path)
			if err != nil || report.Done != c.done || len(report.Lost) != 14-c.done {
				t.Fatalf("Run = %+v, %v; expected %d samples of 14, and the others lost", report, err, c.done)
			}
			for _, want := range []string{c.lost, c.why, fmt.Sprintf("# end incomplete %d of 14 samples\n", c.done)} {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
			r := script(honest)
			var next []string
			r.Progress = func(at Progress) { next = append(next, at.Next) }
			report, _, err = runPlan(t.Context(), t, r, path)
			if err != nil || report.Done != 14 || strings.Join(next, " ") != c.next {
				t.Errorf("again: Run = %+v, %v, which measured %s", report, err, next)
			}
		})
	}
}

// If this fails, an interrupted run loses samples, or counts those of a block of which others are
// missing; or the run that continues it measures some twice or in another order.
func TestInterruptAndResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	r, ctx := interruptedWhen(t, func(at Progress) bool { return at.Next == "D" && at.Done > 0 })
	report, first, err := runPlan(ctx, t, r, path)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, expected context.Canceled", err)
	}
	want := fmt.Sprintf("# again: interrupted\n# end interrupted %d of 14 samples\n", report.Done)
	if n := strings.Count(first, "\nBenchmark"); !strings.HasSuffix(first, want) || n != report.Done {
		t.Fatalf("%d samples; expected %q at the end of\n%s", n, want, first)
	}

	again := plan()
	again.Seed, again.SeedGiven = 99, true
	if _, err := Create(path, again, facts, nil); err == nil || !strings.Contains(err.Error(), "seed was 7, now it is 99") || read(t, path) != first {
		t.Fatalf("with another seed given: %v", err)
	}
	again.SeedGiven = false
	f := create(t, path, again)
	if f.Done() != report.Done || again.Seed != 7 {
		t.Fatalf("resumed with %d samples and seed %d; expected %d and 7", f.Done(), again.Seed, report.Done)
	}
	if report, err = script(honest).Run(t.Context(), again, f); err != nil || report.Done != 14 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	text := read(t, path)
	if !strings.HasPrefix(text, first) || strings.Count(text, "\nBenchmark") != 14 ||
		strings.Count(text, "\n# session ") != 2 || !strings.HasSuffix(text, "# end complete\n") {
		t.Errorf("the file is not the first one with the missing samples in a second session:\n%s", text)
	}
}

// If this fails, a file whose last line is cut off cannot be continued, or that line counts as a
// sample.
func TestResumeCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	_, text, err := runPlan(t.Context(), t, script(honest), path)
	must(t, err)
	text = text[:strings.LastIndex(text, " layout\n")]
	must(t, os.WriteFile(path, []byte(text), 0o666))
	p := plan()
	f := create(t, path, p)
	if f.Done() != 13 {
		t.Fatalf("%d samples, expected 13", f.Done())
	}
	if report, err := script(honest).Run(t.Context(), p, f); err != nil || report.Done != 14 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	after := read(t, path)
	if n := strings.Count(after, " layout\n"); n != 14 {
		t.Errorf("%d whole samples, expected 14", n)
	}
	whole := text[:strings.LastIndexByte(text, '\n')+1]
	if rest, ok := strings.CutPrefix(after, whole); !ok || !strings.HasPrefix(rest, "# session ") {
		t.Errorf("the whole lines end in %q, and the file continues with %q", whole[max(0, len(whole)-40):], rest[:min(40, len(rest))])
	}
}

// If this fails, a file without a sample keeps the seed of its run, or has two headers.
func TestBeginAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	r, ctx := interruptedWhen(t, func(Progress) bool { return true })
	if _, _, err := runPlan(ctx, t, r, path); !errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, expected context.Canceled", err)
	}
	p := plan()
	p.Seed = 99
	if report, err := script(honest).Run(t.Context(), p, create(t, path, p)); err != nil || report.Done != 14 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	if text := read(t, path); strings.Count(text, "seed: ") != 1 || !strings.Contains(text, "seed: 99\n") {
		t.Errorf("expected one header, with the new seed:\n%s", text)
	}
}

// If this fails, a run writes into a file that is complete, of another run, or not a result file.
func TestCreateFails(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.txt")
	_, text, err := runPlan(t.Context(), t, script(honest), whole)
	must(t, err)
	cut := strings.TrimSuffix(text, "# end complete\n")
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"complete":        {cut + "# end complete\n", "holds a whole run already"},
		"another machine": {strings.Replace(cut, "cpu: a cpu", "cpu: another", 1), `cpu was "another", now it is "a cpu"`},
		"another plan":    {strings.Replace(cut, "plan: ", "plan: f", 1), "another run began this file (plan was"},
		"another kind":    {"hello\n", "no sample to continue from"},
		"too long":        {cut + "# " + strings.Repeat("x", 1<<20) + "\n", "too long"},
		"broken":          {cut + "BenchmarkX 1 zwei ns/op\n", "expected a line of a tpbench result file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.txt")
			must(t, os.WriteFile(path, []byte(c.text), 0o666))
			_, err := Create(path, plan(), facts, nil)
			var failure *FileError
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Create = %v, expected a FileError with %q", err, c.want)
			}
			if read(t, path) != c.text {
				t.Error("the file was changed")
			}
		})
	}
	var failure *FileError
	if _, err := Create(os.DevNull, plan(), facts, nil); !errors.As(err, &failure) {
		t.Errorf("results into a device: %v", err)
	}
	for _, name := range []string{strings.Repeat("x", 1000), "whole.txt/out.txt"} {
		path := filepath.Join(filepath.Dir(whole), name)
		if _, err := Create(path, plan(), facts, nil); err == nil {
			t.Errorf("%s was created", path)
		}
	}
}

// If this fails, a case runs on fewer CPUs than it needs, or the error does not say how many.
func TestCheckCPUs(t *testing.T) {
	cs := &Case{Names: []string{"A"}, CPUs: 2}
	if err := cs.CheckCPUs([]int{0, 3}); err != nil {
		t.Error(err)
	}
	var failure *host.UnavailableError
	if err := cs.CheckCPUs([]int{3}); !errors.As(err, &failure) || !strings.Contains(err.Error(), "needs 2 CPUs and this process may use 1 (3)") {
		t.Errorf("CheckCPUs = %v", err)
	}
}

// If this fails, a value loses digits, or has an exponent, which some readers of the format do
// not parse.
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

func openClock(tb testing.TB) *clock.Clock {
	tb.Helper()
	c, err := clock.Open()
	if errors.Is(err, clock.ErrUnavailable) && !strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "tsc") {
		tb.Skip(err)
	}
	must(tb, err)
	return c
}

// BenchmarkTimer times an empty Start/Stop pair of the harness's timer.
func BenchmarkTimer(b *testing.B) {
	t := newTimer(openClock(b), nil, &Op{}, 1)
	for b.Loop() {
		t.Start(0)
		t.Stop()
	}
}

func BenchmarkCanary(b *testing.B) {
	openClock(b)
	for b.Loop() {
		quiet()
	}
}
