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

// If this fails, workers are not told the round and the layout that the file says of
// their samples.
func TestWorkersAreToldTheirLayout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	p := plan()
	said := `for n; do echo "# sample at 2026-01-02T03:04:05.678Z tried 1 kept 1 shared 0"; echo "Benchmark$n 1 5 ns/op $round round $layout layout"; done`
	if _, err := script(said).Run(t.Context(), p, create(t, path, p)); err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`^# block \d+ round (\d+)(?: layout (\d+))?$`)
	sample := regexp.MustCompile(`^Benchmark(\S+) 1 5 ns/op (\d+) round (\d+) layout$`)
	var in []string
	met := map[string]bool{}
	for line := range strings.Lines(read(t, path)) {
		line = strings.TrimSuffix(line, "\n")
		if m := block.FindStringSubmatch(line); m != nil {
			in = m
		}
		if m := sample.FindStringSubmatch(line); m != nil {
			layout := in[2]
			if (m[1] == "A/x=1") != (layout != "") {
				t.Errorf("%s stands in a block with the layout %q", m[1], layout)
			}
			if layout == "" {
				layout = "0"
			}
			if m[2] != in[1] || m[3] != layout {
				t.Errorf("%q stands in block %q", line, in[0])
			}
			met[m[1]+" "+m[3]] = true
		}
	}
	if !met["A/x=1 0"] || !met["A/x=1 1"] || met["B 1"] {
		t.Errorf("layouts met: %v", met)
	}
}

// If this fails, what a neighbour disturbed is compared with what it did not; or a run
// drops samples by their name, loses what it does not use, or never ends beside a
// neighbour that never rests.
func TestDisturbedBlocksAreTakenAgain(t *testing.T) {
	dir := t.TempDir()
	// D is disturbed the first two times it is measured, or always.
	code := func(until int) string {
		return fmt.Sprintf(`for n; do s="shared 0"; if [ "$n" = D ]; then echo x >> %[1]s/times; [ $(wc -l < %[1]s/times) -le %[2]d ] && s="shared 1 disturbed"; fi; echo "# sample at 2026-01-02T03:04:05.678Z tried 1 kept 1 $s"; echo "Benchmark$n 1 5 ns/op"; done`, dir, until)
	}
	for _, tc := range []struct {
		until, again, superseded, disturbed int
	}{
		{0, 0, 0, 0},
		{1, 1, 3, 0},
		{2, 2, 6, 0},
		{1000, 2 * (mostTakes - 1), 3 * 2 * (mostTakes - 1), 2},
	} {
		os.Remove(filepath.Join(dir, "times"))
		path := filepath.Join(dir, fmt.Sprint(tc.until))
		p := plan()
		report, err := script(code(tc.until)).Run(t.Context(), p, create(t, path, p))
		text := read(t, path)
		if again := strings.Count(text, "\n# again: a neighbour shared the core\n"); err != nil || report.Done != 14 || again != tc.again {
			t.Fatalf("disturbed %d times: Run = %+v, %v, %d blocks again; want %d", tc.until, report, err, again, tc.again)
		}
		if n := strings.Count(text, "\n# superseded Benchmark"); n != tc.superseded {
			t.Errorf("disturbed %d times: %d superseded samples, want %d", tc.until, n, tc.superseded)
		}
		if n := strings.Count(text, "\nBenchmark"); n != 14 {
			t.Errorf("disturbed %d times: %d samples, want 14", tc.until, n)
		}
		if n := strings.Count(text, " disturbed\nBenchmarkD"); n != tc.disturbed {
			t.Errorf("disturbed %d times: %d disturbed samples used, want %d", tc.until, n, tc.disturbed)
		}
		// Whole blocks: B, C and D together, and never A.
		for _, name := range []string{"B", "C", "D"} {
			if n := strings.Count(text, "\n# superseded Benchmark"+name+" "); n != tc.again {
				t.Errorf("disturbed %d times: %s was superseded %d times, want %d", tc.until, name, n, tc.again)
			}
		}
	}
}

// If this fails, a sample that was lost in a take that does not count is told of as lost,
// though it was taken again.
func TestLossOfASupersededTake(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	p := plan()
	// The first time, B and C die and D is disturbed.
	code := fmt.Sprintf(`for n; do s="shared 0"; case $n in B) [ -e %[1]s/b ] || { touch %[1]s/b; exit 1; };; D) [ -e %[1]s/d ] || { touch %[1]s/d; s="shared 1 disturbed"; };; esac; echo "# sample at 2026-01-02T03:04:05.678Z tried 1 kept 1 $s"; echo "Benchmark$n 1 5 ns/op"; done`, dir)
	report, err := script(code).Run(t.Context(), p, create(t, path, p))
	text := read(t, path)
	if err != nil || len(report.Lost) != 0 || report.Done != 14 || strings.Contains(text, "\n# lost ") || strings.Count(text, "\n# again: lost round 0 Benchmark") != 2 {
		t.Errorf("%+v, %v:\n%s", report, err, text)
	}
}

// If this fails, taking blocks again takes more than an eighth of a run's time, or none is
// taken again at the beginning.
func TestBudget(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		var b budget
		refused := 0
		for range 300 {
			cost := time.Duration(rnd.Int64N(int64(2 * time.Second)))
			if b.again(cost) {
				if b.wasted > againLeast+b.useful/8 {
					t.Fatalf("seed %d: %v wasted of %v", seed, b.wasted, b.useful)
				}
				continue
			}
			if b.wasted+cost <= againLeast+b.useful/8 {
				t.Fatalf("seed %d: %v were refused with %v wasted of %v", seed, cost, b.wasted, b.useful)
			}
			refused++
			b.useful += cost
		}
		if refused == 0 || b.wasted < againLeast/2 {
			t.Fatalf("seed %d: refused %d times, %v wasted of %v", seed, refused, b.wasted, b.useful)
		}
	}
	if b := (budget{}); !b.again(againLeast) || b.again(1) {
		t.Errorf("the first %v may be wasted, and no more: %+v", againLeast, b)
	}
}

// disturbedTwice is a worker's code: D is disturbed the first two times it is measured.
func disturbedTwice(dir string) string {
	return fmt.Sprintf(`for n; do s="shared 0"; if [ "$n" = D ]; then echo x >> %[1]s/times; [ $(wc -l < %[1]s/times) -le 2 ] && s="shared 1 disturbed"; fi; echo "# sample at 2026-01-02T03:04:05.678Z tried 1 kept 1 $s"; echo "Benchmark$n 1 5 ns/op"; done`, dir)
}

// If this fails, the time that workers took is not what the budget and the prediction go
// by: blocks are taken again for ever, or never.
func TestTimesAreAccounted(t *testing.T) {
	p := plan()
	run := &running{Runner: script(disturbedTwice(t.TempDir())), plan: p, file: &File{f: &recorder{}, done: map[sampleID]bool{}}, spent: newSpending(p)}
	if err := run.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	var total time.Duration
	takes := 0
	for i, s := range run.spent {
		if s.toCome != 0 {
			t.Errorf("after the run %d samples of case %d are to come", s.toCome, i)
		}
		total += s.total
		takes += s.seen
	}
	if b := run.budget; takes != 14 || b.useful <= 0 || b.wasted <= 0 || b.useful+b.wasted != total {
		t.Errorf("%d takes in %v: %+v", takes, total, b)
	}
	if left := run.spent.left(); left != 0 {
		t.Errorf("after the run %v are left", left)
	}
}

// If this fails, what is left of a run is predicted of something else than what its cases
// took: one that takes as long each time takes so often that long, and what nobody has
// seen yet is taken for the mean of the others.
func TestSpending(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for range 200 {
		p := arbitrary(rnd)
		s := newSpending(p)
		if s.left() != 0 {
			t.Fatalf("%v are left before anything was seen", s.left())
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

// If this fails, workers wait for a quiet core without end, or not at all.
func TestImpatience(t *testing.T) {
	for disturbed, want := range map[string]time.Duration{"shared 0": 10 * patience, "shared 1 disturbed": impatience} {
		var waited time.Duration
		r := script(`for n; do echo "# sample at 2026-01-02T03:04:05.678Z tried 1 kept 1 ` + disturbed + `"; echo "Benchmark$n 1 5 ns/op"; done`)
		inner := r.Worker
		r.Worker = func(ctx context.Context, task Task) *exec.Cmd {
			waited += task.Patience
			if task.Patience < 0 || task.Patience > patience {
				t.Errorf("a worker is to wait for %v", task.Patience)
			}
			return inner(ctx, task)
		}
		if _, err := r.Run(t.Context(), plan(), &File{f: &recorder{}, done: map[sampleID]bool{}}); err != nil {
			t.Fatal(err)
		}
		if waited != want {
			t.Errorf("%s: workers were to wait for %v in all, want %v", disturbed, waited, want)
		}
	}
}

// A fragile is a file of which one operation fails.
type fragile struct {
	recorder
	left int // operations before the one that fails
}

var errDisk = errors.New("the disk is full")

func (f *fragile) fails() error {
	if f.left--; f.left == -1 {
		return errDisk
	}
	return nil
}

func (f *fragile) Write(b []byte) (int, error) {
	if err := f.fails(); err != nil {
		return 0, err
	}
	return f.recorder.Write(b)
}

func (f *fragile) Sync() error  { return errors.Join(f.fails(), f.recorder.Sync()) }
func (f *fragile) Close() error { return errors.Join(f.fails(), f.recorder.Close()) }

// If this fails, a run whose results could not be written, or made safe, says that it has
// them: whichever write it was, and however the run ends.
func TestEveryFailureToWriteIsTold(t *testing.T) {
	for _, how := range []string{"complete", "interrupted", "incomplete"} {
		for at := 0; ; at++ {
			p := plan()
			p.Cases = p.Cases[1:] // one block
			for i := range p.Cases {
				p.Cases[i].Rounds = 2
			}
			ctx, cancel := context.WithCancel(t.Context())
			r := script(disturbedTwice(t.TempDir()))
			switch how {
			case "interrupted":
				r.Progress = func(at Progress) {
					if at.Done > 3 {
						cancel()
					}
				}
			case "incomplete":
				r = script(`[ "$1" = D ] && exit 1; ` + honest)
			}
			f := &fragile{left: at}
			_, err := r.Run(ctx, p, &File{f: f, done: map[sampleID]bool{}})
			cancel()
			if f.left >= 0 { // it was not reached
				if (err != nil) != (how == "interrupted") || errors.Is(err, errDisk) {
					t.Errorf("%s, on a good disk: %v", how, err)
				}
				if at < 6 {
					t.Errorf("%s: only %d operations", how, at)
				}
				break
			}
			if !errors.Is(err, errDisk) || errors.Is(err, context.Canceled) {
				t.Errorf("%s, and operation %d fails: Run = %v", how, at, err)
			}
		}
	}
}

// If this fails, two runs write into one file, or the second destroys what the first has
// written before it is refused.
func TestTwoRunsOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	first := create(t, path, plan())
	before := read(t, path)
	var refused *FileError
	if _, err := Create(path, plan(), facts, nil); !errors.As(err, &refused) || !strings.Contains(err.Error(), "another run is writing") {
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

// A recorder notes what is written to it, and when that is to be safe.
type recorder struct{ log []string }

func (r *recorder) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		if round, ok := strings.CutPrefix(line, "# block "); ok {
			r.log = append(r.log, strings.Fields(round)[2])
		}
		if strings.HasPrefix(line, "# end ") {
			r.log = append(r.log, "end")
		}
	}
	return len(b), nil
}
func (r *recorder) Sync() error  { r.log = append(r.log, "sync"); return nil }
func (r *recorder) Close() error { r.log = append(r.log, "close"); return nil }

// If this fails, a finished round, or the end of a run, may be lost with the power.
func TestFinishedRoundsAreSafe(t *testing.T) {
	f := &recorder{}
	if _, err := script(honest).Run(t.Context(), plan(), &File{f: f, done: map[sampleID]bool{}}); err != nil {
		t.Fatal(err)
	}
	const want = "0 0 sync 1 1 sync 2 2 sync 3 3 end sync close"
	if got := strings.Join(f.log, " "); got != want {
		t.Errorf("blocks by their rounds, and syncs: %s; want %s", got, want)
	}
}

// If this fails, a file of somebody else's is overwritten because its first line looks
// like ours.
func TestBegunIsOnlyOurs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	create(t, path, plan()).f.Close()
	ours := read(t, path)
	for text, want := range map[string]bool{
		ours:                                     true,
		ours[:len(ours)-5]:                       true, // cut off in its last line
		ours + "# block 0 round 0":               true,
		"tpbench: ":                              false,
		"tpbench: 2\n":                           false,
		"tpbench: a note of mine\nplan: lunch\n": false,
		"tpbench: 2\nplan: lunch\nand then a walk.\n": false,
		"tpbench: 1\n" + ours:                         false,
		ours + "My own words.\n":                      false,
		"":                                            false,
	} {
		if begun([]byte(text)) != want {
			t.Errorf("begun(%q) = %v", text, !want)
		}
	}
}

// If this fails, a run is resumed on another machine, kernel or binary than it was begun
// with: each fact but those that pass is looked at.
func TestResumeLooksAtEveryFact(t *testing.T) {
	dir := t.TempDir()
	interrupted := filepath.Join(dir, "out.txt")
	ctx, cancel := context.WithCancel(t.Context())
	r := script(honest)
	r.Progress = func(p Progress) {
		if p.Done > 3 {
			cancel()
		}
	}
	many := append(slices.Clone(facts), host.Fact{Key: "microcode", Value: "0x1"}, host.Fact{Key: "steal", Value: "5"}, host.Fact{Key: "tsc", Value: "1"}, host.Fact{Key: "date", Value: "today"})
	p := plan()
	f, err := Create(interrupted, p, many, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(ctx, p, f); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	text := read(t, interrupted)
	for i, fact := range many {
		other := slices.Clone(many)
		other[i].Value += " other"
		path := filepath.Join(dir, fact.Key)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := Create(path, plan(), other, nil)
		if passes := slices.Contains([]string{"load", "steal", "tsc", "date"}, fact.Key); passes != (err == nil) {
			t.Errorf("another %s: Create = %v", fact.Key, err)
		}
		if err == nil {
			f.f.Close()
		} else if !strings.Contains(err.Error(), fact.Key+" was ") || read(t, path) != text {
			t.Errorf("another %s: %v", fact.Key, err)
		}
	}
}

// If this fails, an interrupted worker is killed before it could put things back.
func TestInterruptAsksWorkers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	ctx, cancel := context.WithCancel(t.Context())
	// The worker says when it runs; then it is interrupted, and takes a while.
	code := fmt.Sprintf(`trap 'sleep 0.2; touch %[1]s/restored; exit 1' INT; touch %[1]s/up; while :; do sleep 0.01; done`, dir)
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(dir, "up")); err == nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	p := plan()
	if _, err := script(code).Run(ctx, p, create(t, path, p)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "restored")); err != nil {
		t.Errorf("the worker was not asked to end: %v", err)
	}
	if text := read(t, path); !strings.Contains(text, "# again: interrupted\n# end interrupted 0 of 14 samples\n") {
		t.Errorf("the block that was cut off is not told of:\n%s", text)
	}
}

// If this fails, samples of an interrupted block are thrown away, or counted although
// their neighbours are missing.
func TestInterruptedBlockIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	ctx, cancel := context.WithCancel(t.Context())
	p := plan()
	r := script(honest)
	r.Progress = func(at Progress) {
		if at.Next == "D" && at.Done > 0 {
			cancel()
		}
	}
	report, err := r.Run(ctx, p, create(t, path, p))
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	text := read(t, path)
	if n := strings.Count(text, "\nBenchmark"); n != report.Done {
		t.Errorf("%d samples and %+v:\n%s", n, report, text)
	}
	again := plan()
	if report, err = script(honest).Run(t.Context(), again, create(t, path, again)); err != nil || report.Done != 14 {
		t.Fatalf("%+v, %v", report, err)
	}
	if n := strings.Count(read(t, path), "\n# session "); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
}

// If this fails, a worker that hangs stops a run for ever, or nobody learns what it did.
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

// If this fails, what a dying worker printed breaks the file it is quoted in.
func TestOneLine(t *testing.T) {
	if got := oneLine("a\nBenchmarkX 1 5 ns/op\x1b[31m\r\u202e"); strings.ContainsAny(got, "\n\r\x1b\u202e") || !strings.HasPrefix(got, "a; BenchmarkX") {
		t.Errorf("oneLine = %q", got)
	}
}
