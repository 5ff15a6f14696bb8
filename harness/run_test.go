package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tpbench/tpbench/harness/host"
)

// If this fails, a worker measures another round or layout than the file says of its samples.
func TestWorkersGetTheirLayout(t *testing.T) {
	_, text, err := runPlan(t.Context(), t, script(honest), filepath.Join(t.TempDir(), "out.txt"))
	must(t, err)
	block := regexp.MustCompile(`^# block \d+ round (\d+)(?: layout (\d+))?$`)
	sample := regexp.MustCompile(`^Benchmark(\S+) 1 5 ns/op (\d+) round (\d+) layout$`)
	var in []string
	met := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := block.FindStringSubmatch(line); m != nil {
			in = m
		}
		if m := sample.FindStringSubmatch(line); m != nil {
			layout := in[2]
			if (m[1] == "A/x=1") != (layout != "") {
				t.Errorf("%s is in a block with the layout %q", m[1], layout)
			}
			if layout == "" {
				layout = "0"
			}
			if m[2] != in[1] || m[3] != layout {
				t.Errorf("%q is in block %q", line, in[0])
			}
			met[m[1]+" "+m[3]] = true
		}
	}
	if !met["A/x=1 0"] || !met["A/x=1 1"] || met["B 1"] {
		t.Errorf("layouts: %v", met)
	}
}

// If this fails, a disturbed sample is compared with others of its block that are not; or
// superseded samples are missing from the file; or a run does not end while a neighbour is
// always busy.
func TestDisturbedBlocksAreTakenAgain(t *testing.T) {
	for _, tc := range []struct{ times, again, disturbed int }{
		{0, 0, 0},
		{1, 1, 0},
		{2, 2, 0},
		{1000, 2 * (mostTakes - 1), 2},
	} {
		dir := t.TempDir()
		r := script(disturbedTimes(dir, tc.times))
		report, text, err := runPlan(t.Context(), t, r, filepath.Join(dir, "out.txt"))
		if err != nil || report.Done != 14 {
			t.Fatalf("disturbed %d times: Run = %+v, %v", tc.times, report, err)
		}
		for part, want := range map[string]int{
			"\n# again: a neighbour shared the core\n": tc.again,
			"\nBenchmark":                14,
			" disturbed\nBenchmarkD":     tc.disturbed,
			"\n# superseded Benchmark":   3 * tc.again, // B, C and D are one block; A is another
			"\n# superseded BenchmarkB ": tc.again,
			"\n# superseded BenchmarkC ": tc.again,
			"\n# superseded BenchmarkD ": tc.again,
		} {
			if n := strings.Count(text, part); n != want {
				t.Errorf("disturbed %d times: %q stands in the file %d times, want %d", tc.times, part, n, want)
			}
		}
	}
}

// If this fails, a sample that was lost in a superseded take is reported as lost, though it was
// measured again.
func TestLossOfASupersededTake(t *testing.T) {
	dir := t.TempDir()
	// The first time, B and C die and D is disturbed.
	code := samples(fmt.Sprintf(`case $n in B) [ -e %[1]s/b ] || { touch %[1]s/b; exit 1; };; D) [ -e %[1]s/d ] || { touch %[1]s/d; s="shared 1 disturbed"; };; esac`, dir))
	report, text, err := runPlan(t.Context(), t, script(code), filepath.Join(dir, "out.txt"))
	if err != nil || len(report.Lost) != 0 || report.Done != 14 || strings.Contains(text, "\n# lost ") || strings.Count(text, "\n# again: lost round 0 Benchmark") != 2 {
		t.Errorf("%+v, %v:\n%s", report, err, text)
	}
}

// If this fails, superseded takes use more than an eighth of a run's useful time, or none is
// allowed at the beginning.
func TestBudget(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		var b budget
		denied := 0
		for range 300 {
			cost := time.Duration(rnd.Int64N(int64(2 * time.Second)))
			if b.again(cost) {
				if b.superseded > againLeast+b.useful/8 {
					t.Fatalf("seed %d: %v superseded and %v useful", seed, b.superseded, b.useful)
				}
				continue
			}
			if b.superseded+cost <= againLeast+b.useful/8 {
				t.Fatalf("seed %d: %v were denied with %v superseded and %v useful", seed, cost, b.superseded, b.useful)
			}
			denied++
			b.useful += cost
		}
		if denied == 0 || b.superseded < againLeast/2 {
			t.Fatalf("seed %d: denied %d times, %v superseded and %v useful", seed, denied, b.superseded, b.useful)
		}
	}
	if b := (budget{}); !b.again(againLeast) || b.again(1) {
		t.Errorf("the budget does not begin with %v: %+v", againLeast, b)
	}
}

// disturbedTimes is a worker's code: D is disturbed the first so many times it is measured.
func disturbedTimes(dir string, times int) string {
	return samples(fmt.Sprintf(`if [ "$n" = D ]; then echo x >> %[1]s/times; [ $(wc -l < %[1]s/times) -le %[2]d ] && s="shared 1 disturbed"; fi`, dir, times))
}

// If this fails, the budget and the prediction do not count the time that workers took: blocks
// are measured again without end, or never.
func TestTimesAreAccounted(t *testing.T) {
	p := plan()
	run := &running{Runner: script(disturbedTimes(t.TempDir(), 2)), plan: p, file: onto(&recorder{}), spent: newSpending(p)}
	must(t, run.all(t.Context()))
	var total time.Duration
	takes := 0
	for i, s := range run.spent {
		if s.toCome != 0 {
			t.Errorf("after the run %d samples of case %d are left", s.toCome, i)
		}
		total += s.total
		takes += s.samples
	}
	if b := run.budget; takes != 14 || b.useful <= 0 || b.superseded <= 0 || b.useful+b.superseded != total {
		t.Errorf("%d takes in %v: %+v", takes, total, b)
	}
	if left := run.spent.left(); left != 0 {
		t.Errorf("after the run %v are left", left)
	}
}

// If this fails, the rest of a run is predicted wrongly: a case whose samples all took as long
// takes as long for each sample to come, and one without a sample takes the mean of the others.
func TestSpending(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for range 200 {
		p := arbitrary(rnd)
		s := newSpending(p)
		if s.left() != 0 {
			t.Fatalf("%v are left before the first sample", s.left())
		}
		costs := make([]time.Duration, len(p.Cases))
		var want, seen time.Duration
		unseen, cases := 0, 0
		for i := range p.Cases {
			costs[i] = time.Duration(1+rnd.IntN(1000)) * time.Millisecond
			toCome := p.Cases[i].rounds()
			if rnd.IntN(4) == 0 && cases > 0 {
				unseen += toCome
				continue
			}
			for range 1 + rnd.IntN(toCome) {
				s.add(i, costs[i])
				if rnd.IntN(3) > 0 {
					s.done(i)
					toCome--
				}
			}
			want += time.Duration(toCome) * costs[i]
			seen += costs[i]
			cases++
		}
		want += seen * time.Duration(unseen) / time.Duration(cases)
		if got := s.left(); got != want {
			t.Fatalf("%v are left, want %v: %+v", got, want, s)
		}
	}
}

// If this fails, the workers of a run wait for a quiet core without end, or not at all.
func TestPatienceOfARun(t *testing.T) {
	for disturbed, want := range map[string]time.Duration{"shared 0": 10 * patience, "shared 1 disturbed": runPatience} {
		var waited time.Duration
		r := script(samples(`s="` + disturbed + `"`))
		inner := r.Worker
		r.Worker = func(ctx context.Context, task Task) *exec.Cmd {
			waited += task.Patience
			if task.Patience < 0 || task.Patience > patience {
				t.Errorf("a worker may wait for %v", task.Patience)
			}
			return inner(ctx, task)
		}
		if _, err := r.Run(t.Context(), plan(), onto(&recorder{})); err != nil {
			t.Fatal(err)
		}
		if waited != want {
			t.Errorf("%s: the workers may wait for %v in all, want %v", disturbed, waited, want)
		}
	}
}

// If this fails, a run whose results could not be written or synced ends without an error:
// the test fails each operation on the file in turn, for each way in which a run can end.
func TestEveryFailedWriteIsReported(t *testing.T) {
	for _, how := range []string{"complete", "interrupted", "incomplete", "decided", "unanswered"} {
		for at := 1; ; at++ {
			p := plan()
			p.Cases = p.Cases[1:] // one block
			for i := range p.Cases {
				p.Cases[i].Rounds = 2
			}
			r, ctx := interruptedWhen(t, func(at Progress) bool { return how == "interrupted" && at.Done > 3 })
			r.Worker = script(disturbedTimes(t.TempDir(), 2)).Worker
			if how == "incomplete" {
				r = script(`[ "$1" = D ] && exit 1; ` + honest)
			}
			if how == "decided" || how == "unanswered" {
				r.Looks = []int{1}
				r.Look = func(int) (bool, error) {
					if how == "unanswered" {
						return false, errors.New("no answer")
					}
					return true, nil
				}
			}
			f := &recorder{failing: at}
			_, err := r.Run(ctx, p, onto(f))
			if f.begun < at { // the run ended before that operation
				if (err != nil) != (how == "interrupted" || how == "unanswered") || errors.Is(err, errDisk) {
					t.Errorf("%s, without a failure: %v", how, err)
				}
				if at < 7 {
					t.Errorf("%s: only %d operations", how, at-1)
				}
				break
			}
			if !errors.Is(err, errDisk) || errors.Is(err, context.Canceled) {
				t.Errorf("%s, and operation %d fails: Run = %v", how, at, err)
			}
		}
	}
}

// If this fails, two runs write into one file, or the second changes the file before its Create
// fails.
func TestTwoRunsOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	first := create(t, path, plan())
	before := read(t, path)
	var failure *FileError
	if _, err := Create(path, plan(), facts, nil); !errors.As(err, &failure) || !strings.Contains(err.Error(), "another run is writing") {
		t.Errorf("Create = %v, expected a FileError about another run", err)
	}
	if now := read(t, path); now != before {
		t.Errorf("the file was %q and is %q", before, now)
	}
	if _, err := script(honest).Run(t.Context(), plan(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, plan(), facts, nil); err == nil || !strings.Contains(err.Error(), "whole run") {
		t.Errorf("after the first run has ended: %v", err)
	}
}

// A recorder is a file that notes the rounds of its blocks, its end, and each Sync and Close.
type recorder struct {
	log            []string
	begun, failing int // operations begun, and the number of the one that fails
}

var errDisk = errors.New("the disk is full")

// note begins an operation.
func (r *recorder) note(what ...string) error {
	r.log = append(r.log, what...)
	if r.begun++; r.begun == r.failing {
		return errDisk
	}
	return nil
}

func (r *recorder) Write(b []byte) (int, error) {
	var what []string
	for line := range strings.Lines(string(b)) {
		if round, ok := strings.CutPrefix(line, "# block "); ok {
			what = append(what, strings.Fields(round)[2])
		}
		if strings.HasPrefix(line, "# end ") {
			what = append(what, "end")
		}
	}
	return len(b), r.note(what...)
}
func (r *recorder) Sync() error  { return r.note("sync") }
func (r *recorder) Close() error { return r.note("close") }

// If this fails, a loss of power may lose a finished round, or the end of a run.
func TestFinishedRoundsAreSynced(t *testing.T) {
	f := &recorder{}
	if _, err := script(honest).Run(t.Context(), plan(), onto(f)); err != nil {
		t.Fatal(err)
	}
	const want = "0 0 sync 1 1 sync 2 2 sync 3 3 end sync close"
	if got := strings.Join(f.log, " "); got != want {
		t.Errorf("blocks by their rounds, and syncs: %s; want %s", got, want)
	}
}

// If this fails, a file of another kind is overwritten because its first line is that of a
// result file.
func TestOnlyHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	create(t, path, plan()).f.Close()
	head := read(t, path)
	for text, want := range map[string]bool{
		head:                                     true,
		head[:len(head)-5]:                       true, // cut off in its last line
		head + "# block 0 round 0":               true,
		head + "# look after 1 rounds\n":         true,
		"tpbench: ":                              false,
		"tpbench: 2\n":                           false,
		"tpbench: a note of mine\nplan: lunch\n": false,
		"tpbench: 2\nplan: lunch\nand then a walk.\n": false,
		"tpbench: 1\n" + head:                         false,
		head + "My own words.\n":                      false,
		"":                                            false,
	} {
		if onlyHead([]byte(text)) != want {
			t.Errorf("onlyHead(%q) = %v", text, !want)
		}
	}
}

// If this fails, a file is continued on another machine, kernel or binary than it was begun
// on: each fact must be the same, but for those of mayDiffer.
func TestResumeComparesEveryFact(t *testing.T) {
	dir := t.TempDir()
	interrupted := filepath.Join(dir, "out.txt")
	r, ctx := interruptedWhen(t, func(at Progress) bool { return at.Done > 3 })
	many := append(slices.Clone(facts), host.Fact{Key: "microcode", Value: "0x1"}, host.Fact{Key: "steal", Value: "5"}, host.Fact{Key: "tsc", Value: "1"}, host.Fact{Key: "date", Value: "today"})
	p := plan()
	f, err := Create(interrupted, p, many, nil)
	must(t, err)
	if _, err := r.Run(ctx, p, f); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	text := read(t, interrupted)
	for i, fact := range many {
		other := slices.Clone(many)
		other[i].Value += " other"
		path := filepath.Join(dir, fact.Key)
		must(t, os.WriteFile(path, []byte(text), 0o666))
		f, err := Create(path, plan(), other, nil)
		if may := slices.Contains([]string{"load", "steal", "tsc", "date"}, fact.Key); may != (err == nil) {
			t.Errorf("another %s: Create = %v", fact.Key, err)
		}
		if err == nil {
			f.f.Close()
		} else if !strings.Contains(err.Error(), fact.Key+" was ") || read(t, path) != text {
			t.Errorf("another %s: %v", fact.Key, err)
		}
	}
}

// If this fails, an interrupted worker is killed before it can undo what its case changed.
func TestInterruptLetsWorkersEnd(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	// The worker creates a file when it runs. Then it is interrupted, and takes 0.2 s to end.
	code := fmt.Sprintf(`trap 'sleep 0.2; touch %[1]s/restored; exit 1' INT; touch %[1]s/up; while :; do sleep 0.01; done`, dir)
	go func() {
		for _, err := os.Stat(dir + "/up"); err != nil; _, err = os.Stat(dir + "/up") {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, text, err := runPlan(ctx, t, script(code), filepath.Join(dir, "out.txt"))
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "restored")); err != nil {
		t.Errorf("the worker was killed: %v", err)
	}
	if !strings.Contains(text, "# again: interrupted\n# end interrupted 0 of 14 samples\n") {
		t.Errorf("the file does not name the interrupted block:\n%s", text)
	}
}

// If this fails, a worker that hangs stops the run, or the loss does not say what it did.
func TestHangingWorkerIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	p := plan()
	p.Cases[2].Slow = 300*time.Millisecond - usualLimit // D's
	code := `if [ "$1" = D ]; then trap 'echo "SIGQUIT: quit
PC=0x1

goroutine 7 [running]:
main.stuck()" >&2; exit 2' QUIT; while :; do sleep 0.01; done; fi; ` + honest
	report, err := script(code).Run(t.Context(), p, create(t, path, p))
	if err != nil || report.Done != 12 || len(report.Lost) != 2 {
		t.Fatalf("Run = %+v, %v; want 12 samples and 2 lost", report, err)
	}
	for _, want := range []string{"did not end within 300ms", "goroutine 7 [running]:; main.stuck()", "sh "} {
		if !strings.Contains(report.Lost[0], want) {
			t.Errorf("no %q in %q", want, report.Lost[0])
		}
	}
	if text := read(t, path); !strings.HasSuffix(text, "# end incomplete 12 of 14 samples\n") {
		t.Errorf("the file ends in %q", text[max(0, len(text)-60):])
	}
}

// If this fails, what a dying worker printed breaks the lines of the file that quotes it.
func TestOneLine(t *testing.T) {
	if got := oneLine("a\nBenchmarkX 1 5 ns/op\x1b[31m\r\u202e"); strings.ContainsAny(got, "\n\r\x1b\u202e") || !strings.HasPrefix(got, "a; BenchmarkX") {
		t.Errorf("oneLine = %q", got)
	}
}
