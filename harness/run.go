package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Runner runs plans.
type Runner struct {
	// Worker returns the command of a process that calls Work for the task, which writes
	// to standard output. It chooses the binary by the task's Arm and Build.
	Worker func(context.Context, Task) *exec.Cmd

	// Looks are the numbers of rounds after which Look is asked whether the run stops, in
	// ascending order. They are fixed before the run. One that is not below the number of the plan's
	// rounds is not asked, since the run ends there.
	Looks []int

	// Look is called when the samples of that many rounds are in the file, and synced, and nothing
	// is measured. Samples that were lost are missing. It is asked once for each look, also if the
	// file is continued. If it returns an error, the run ends as an interrupted one, and another Run
	// asks again.
	Look func(rounds int) (stop bool, err error)

	// Progress, if not nil, is called before each sample, and never while one is measured, unless
	// Plan.AtOnce says so. Calls do not overlap.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	Done, Total int           // samples
	Next        string        // the name of the case that is measured next
	Left        time.Duration // the predicted rest; 0 while it is unknown
}

// A Report is how a run ended.
type Report struct {
	Done, Total int
	Lost        []string // a sentence for each sample that could not be measured
	Decided     bool     // a look stopped the run
}

const (
	// patience is how long a worker waits for a quiet core, and runPatience how long all
	// workers of a run do.
	patience    = time.Second
	runPatience = 5 * time.Second

	// mostTakes bounds how often a block is measured.
	mostTakes = 3

	// A worker that runs for longer than usualLimit and Case.Slow together is taken to hang.
	usualLimit = 2 * time.Minute

	// endLimit is how long a worker that is interrupted may take to end. It may be in a
	// system call, and it undoes what its case has changed.
	endLimit = 10 * time.Second
)

// Run measures those samples of the plan that f does not hold yet, and ends f. Another Run
// with f measures again what was lost. When ctx is done, Run keeps what was measured, writes
// an interrupted end, and returns ctx's error, or the error of writing if there is one:
// samples that are not in f cannot be continued from. A look may end the run early; f is then whole.
func (r *Runner) Run(ctx context.Context, plan *Plan, f *File) (Report, error) {
	run := &running{
		Runner: r, plan: plan, file: f,
		report: Report{Done: f.Done(), Total: plan.Samples()},
		spent:  newSpending(plan),
	}
	err := run.all(ctx)
	report := run.report
	switch interrupted := ctx.Err(); {
	case err != nil && !errors.Is(err, interrupted):
		return report, err
	case report.Decided:
		return report, f.end("# end decided %d of %d samples\n", report.Done, report.Total)
	case interrupted != nil:
		return report, cmp.Or(f.end("# end interrupted %d of %d samples\n", report.Done, report.Total), interrupted)
	case report.Done < report.Total:
		return report, f.end("# end incomplete %d of %d samples\n", report.Done, report.Total)
	}
	return report, f.end("# end complete\n")
}

// A running is one call of Run.
type running struct {
	*Runner
	plan   *Plan
	file   *File
	report Report
	spent  spending
	budget budget
	waited time.Duration // for quiet cores
	failed bool          // a block could not be measured, so no other begins

	// mu protects all of the above where several blocks are measured at once. A block holds it, except while
	// its worker runs.
	mu sync.Mutex
}

// all measures the blocks. It begins none after one has failed, and waits for those that have begun.
func (r *running) all(ctx context.Context) error {
	var begun errgroup.Group
	begun.SetLimit(max(1, r.plan.AtOnce))
	err := r.begin(ctx, &begun)
	return cmp.Or(begun.Wait(), err)
}

func (r *running) begin(ctx context.Context, begun *errgroup.Group) error {
	round := 0
	for id, b := range r.plan.blocks() {
		if b.round > round {
			if round = b.round; r.plan.AtOnce < 2 || slices.Contains(r.Looks, round) {
				if err := begun.Wait(); err != nil {
					return err
				}
			}
			if stop, err := r.next(ctx, round); stop || err != nil {
				return err
			}
		}
		begun.Go(func() error { // when there is a place
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.failed {
				return nil
			}
			err := r.block(ctx, id, b)
			r.failed = err != nil
			return err
		})
	}
	return nil
}

// next begins a round. It stops if a look says so, or if a block has failed.
func (r *running) next(ctx context.Context, round int) (stop bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed {
		return true, nil
	}
	// A loss of power may cost one round, not more.
	if err := r.file.sync(); err != nil {
		return false, err
	}
	stop, err = r.look(ctx, round)
	r.report.Decided = stop
	return stop, err
}

// block measures one block. If a sample of it is disturbed, and the budget allows it, the whole
// block is measured again: a sample that was chosen because it was not disturbed cannot be
// compared with one that was not chosen. Superseded samples stay in the file as comments.
func (r *running) block(ctx context.Context, id int, b block) error {
	var due []int
	for _, i := range b.cases {
		if len(r.file.missing(b.round, &r.plan.Cases[i])) > 0 {
			due = append(due, i)
		} else {
			r.spent.done(i) // an earlier session took them
		}
	}
	if len(due) == 0 {
		return nil
	}
	for took := 1; ; took++ {
		t, err := r.take(ctx, id, b, due)
		if err != nil { // interrupted
			return cmp.Or(r.file.line("%s# again: interrupted\n", superseded(t.lines)), err)
		}
		if t.disturbed && took < mostTakes && r.budget.again(t.took) {
			if err := r.file.line("%s# again: a neighbour shared the core\n", superseded(t.lines)); err != nil {
				return err
			}
			continue
		}
		if err := r.file.line("%s", t.lines); err != nil {
			return err
		}
		r.budget.useful += t.took
		for _, i := range due {
			r.spent.done(i)
		}
		r.report.Lost = append(r.report.Lost, t.lost...)
		r.report.Done += t.samples
		return nil
	}
}

// A take is one attempt at a block.
type take struct {
	lines     []byte
	samples   int
	lost      []string
	disturbed bool
	took      time.Duration
}

// take measures the block's cases that are due. Its error is ctx's.
func (r *running) take(ctx context.Context, id int, b block, due []int) (take, error) {
	var t take
	t.lines = fmt.Appendf(t.lines, "# block %d round %d", id, b.round)
	if first := &r.plan.Cases[due[0]]; first.Layouts > 0 {
		t.lines = fmt.Appendf(t.lines, " layout %d", b.layout(first))
	}
	if r.plan.Builds > 0 {
		t.lines = fmt.Appendf(t.lines, " build %d", r.plan.build(&b))
	}
	t.lines = append(t.lines, '\n')
	for _, i := range due {
		c := &r.plan.Cases[i]
		missing := r.file.missing(b.round, c)
		written := c.Written(missing)
		if r.Progress != nil {
			r.Progress(Progress{r.report.Done + t.samples, r.report.Total, written[0], r.spent.left() / time.Duration(max(1, r.plan.AtOnce))})
		}
		task := r.plan.task(&b, c, missing)
		task.Patience = min(patience, runPatience-r.waited)
		began := time.Now()
		r.mu.Unlock()
		lines, without, err := r.sample(ctx, c, task)
		r.mu.Lock()
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		took := time.Since(began)
		t.took += took
		r.spent.add(i, took)
		for _, name := range c.Written(without) {
			why := fmt.Sprintf("lost round %d Benchmark%s: %v", b.round, name, err)
			t.lost = append(t.lost, why)
			t.lines = fmt.Appendf(t.lines, "# %s\n", why)
		}
		t.samples += len(missing) - len(without)
		t.lines = append(t.lines, lines...)
		if bytes.Contains(lines, []byte(disturbedWord+"\n")) {
			t.disturbed = true
			r.waited += task.Patience
		}
	}
	return t, nil
}

// superseded turns the benchmark lines of a take into comments. Samples that it lost are not
// lost, because there is another take.
func superseded(lines []byte) []byte {
	lines = bytes.ReplaceAll(lines, []byte("\n# lost "), []byte("\n# again: lost "))
	return bytes.ReplaceAll(lines, []byte("\nBenchmark"), []byte("\n# superseded Benchmark"))
}

// sample runs one worker and returns its lines as the file has them. without are those of the task's names of which
// there is no line, and the error says in one sentence why; if there are none, it is nil.
func (r *Runner) sample(ctx context.Context, c *Planned, task Task) (lines []byte, without []string, err error) {
	limit := usualLimit + c.Slow
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := r.Worker(limited, task)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	Isolate(cmd)
	var doing string
	cmd.Cancel = func() error {
		if ctx.Err() != nil {
			return cmd.Process.Signal(os.Interrupt) // so that it closes its case
		}
		doing = Interrogate(cmd.Process, endLimit)
		return nil
	}
	cmd.WaitDelay = endLimit
	err = cmd.Run()
	if ctx.Err() == nil && limited.Err() != nil {
		return nil, task.Names, fmt.Errorf("worker did not end within %v; its threads: %s; its stacks: %s", limit, oneLine(doing), oneLine(stacks(stderr.String())))
	}
	if err != nil {
		return nil, task.Names, fmt.Errorf("worker died: %w%s", err, firstLine(stderr.String()))
	}
	for _, name := range task.Names {
		if !prints(stdout.Bytes(), name) {
			without = append(without, name)
		}
	}
	if without == nil {
		return Rename(stdout.Bytes(), c.Arm), nil, nil
	}
	err = fmt.Errorf("worker gave no line for Benchmark%s%s", without[0], firstLine(stderr.String()))
	if printsOthers(stdout.Bytes(), task.Names) {
		return nil, task.Names, err // it measured something else
	}
	return Rename(stdout.Bytes(), c.Arm), without, err
}
