package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
	"unicode"
)

// A Runner runs plans.
type Runner struct {
	// Worker returns the command of a process that calls Work for the task and
	// prints what it writes.
	Worker func(context.Context, Task) *exec.Cmd

	// Progress, if not nil, is told before each sample what comes next. It is
	// never called while something is measured.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	Done, Total int           // samples
	Next        string        // the name of the case that is measured next
	Left        time.Duration // at the pace so far; 0 while unknown
}

// A Report is how a run ended.
type Report struct {
	Done, Total int
	Lost        []string // a sentence for each sample that could not be had
}

const (
	// A worker waits for a quiet core for as long as patience, until a run has
	// waited for impatience in all.
	patience   = time.Second
	impatience = 5 * time.Second

	// usualLimit is how long a worker may take, and Case.Slow beyond that, before it
	// is taken to hang.
	usualLimit = 2 * time.Minute

	// endLimit is how long a worker that is asked to end may take. It may be inside
	// the kernel, and has things to put back.
	endLimit = 10 * time.Second
)

// Run measures what the plan asks for and f does not hold yet, and ends f; what was
// lost can be had by running again. If ctx is
// done it keeps what was measured, says so in f, and returns ctx's error. An error of
// writing goes before that: what is not in f cannot be gone on from.
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
}

func (r *running) all(ctx context.Context) error {
	round := 0
	for id, b := range r.plan.blocks() {
		if b.round > round {
			// What a round cost is not to be lost with the power.
			if err := r.file.sync(); err != nil {
				return err
			}
			round = b.round
		}
		if err := r.block(ctx, id, b); err != nil {
			return err
		}
	}
	return nil
}

// block takes one block, again if a neighbour disturbed any sample of it and there is
// time for that. All of it is taken again, whichever sample it was: a sample that was
// chosen for being quiet is not to be compared with one that was not. What does not
// count any more stays in the file as a comment.
func (r *running) block(ctx context.Context, id int, b block) error {
	var due []int
	for _, i := range b.cases {
		if len(r.file.missing(b.round, r.plan.Cases[i].Wanted)) > 0 {
			due = append(due, i)
		} else {
			r.spent.done(i) // by an earlier session
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
		if t.disturbed && took < mostTakes && r.budget.again(t.cost) {
			if err := r.file.line("%s# again: a neighbour shared the core\n", superseded(t.lines)); err != nil {
				return err
			}
			continue
		}
		if err := r.file.line("%s", t.lines); err != nil {
			return err
		}
		r.budget.useful += t.cost
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
	cost      time.Duration
}

// take measures the block's cases that are due. Its error is ctx's.
func (r *running) take(ctx context.Context, id int, b block, due []int) (take, error) {
	var t take
	t.lines = fmt.Appendf(t.lines, "# block %d round %d", id, b.round)
	if first := &r.plan.Cases[due[0]]; first.Layouts > 0 {
		t.lines = fmt.Appendf(t.lines, " layout %d", b.layout(first))
	}
	t.lines = append(t.lines, '\n')
	for _, i := range due {
		c := &r.plan.Cases[i]
		missing := r.file.missing(b.round, c.Wanted)
		if r.Progress != nil {
			r.Progress(Progress{r.report.Done + t.samples, r.report.Total, missing[0], r.spent.left()})
		}
		task := Task{missing, b.round, b.layout(c), min(patience, impatience-r.waited)}
		began := time.Now()
		lines, err := r.sample(ctx, c, task)
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		took := time.Since(began)
		t.cost += took
		r.spent.add(i, took)
		if err != nil {
			for _, name := range missing {
				why := fmt.Sprintf("lost round %d Benchmark%s: %v", b.round, name, err)
				t.lost = append(t.lost, why)
				t.lines = fmt.Appendf(t.lines, "# %s\n", why)
			}
			continue
		}
		t.samples += len(missing)
		t.lines = append(t.lines, lines...)
		if bytes.Contains(lines, []byte(disturbedWord+"\n")) {
			t.disturbed = true
			r.waited += task.Patience
		}
	}
	return t, nil
}

// superseded makes comments of a take's benchmark lines. What it lost is no loss: there
// will be another take.
func superseded(lines []byte) []byte {
	lines = bytes.ReplaceAll(lines, []byte("\n# lost "), []byte("\n# again: lost "))
	return bytes.ReplaceAll(lines, []byte("\nBenchmark"), []byte("\n# superseded Benchmark"))
}

// mostTakes is how often a block is taken at most.
const mostTakes = 3

// A budget bounds the time that blocks are taken again in: an eighth of the time that
// counts, and a little to begin with. On a host whose neighbours never rest a run must
// end all the same.
type budget struct{ useful, wasted time.Duration }

const (
	againShare = 8
	againLeast = 2 * time.Second
)

// again reports whether a take that cost so much may be thrown away, and notes that.
func (b *budget) again(cost time.Duration) bool {
	if b.wasted+cost > againLeast+b.useful/againShare {
		return false
	}
	b.wasted += cost
	return true
}

// sample runs one worker and returns its lines, or in one sentence why it has none.
func (r *running) sample(ctx context.Context, c *Planned, task Task) ([]byte, error) {
	limit := usualLimit + c.Slow
	asked, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := r.Worker(asked, task)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	Isolate(cmd)
	var doing string
	cmd.Cancel = func() error {
		if ctx.Err() != nil {
			return cmd.Process.Signal(os.Interrupt) // it may have something to put back
		}
		doing = Interrogate(cmd.Process, endLimit)
		return nil
	}
	cmd.WaitDelay = endLimit
	err := cmd.Run()
	if ctx.Err() == nil && asked.Err() != nil {
		return nil, fmt.Errorf("worker did not end within %v; its threads: %s; its stacks: %s", limit, oneLine(doing), oneLine(stacks(complaint.String())))
	}
	if err != nil {
		return nil, fmt.Errorf("worker died: %w%s", err, firstLine(complaint.String()))
	}
	for _, name := range task.Names {
		if !bytes.Contains(out.Bytes(), []byte("\nBenchmark"+name+" ")) {
			return nil, fmt.Errorf("worker gave no line for Benchmark%s", name)
		}
	}
	return out.Bytes(), nil
}

// firstLine is what a dying process said, as far as it fits into a comment line.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if line == "" {
		return ""
	}
	return ": " + oneLine(line)
}

// stacks is the top of what Go's runtime says of the goroutines of a process that was
// made to quit.
func stacks(complaint string) string {
	const enough = 12 // lines
	_, text, found := strings.Cut(complaint, "\ngoroutine ")
	if !found {
		return "unknown"
	}
	lines := strings.SplitN("goroutine "+text, "\n", enough+1)
	return strings.Join(lines[:min(enough, len(lines))], "\n")
}

// oneLine makes of text what a comment line can hold.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "))
}

// missing returns those of names that f has no sample of in round.
func (f *File) missing(round int, names []string) []string {
	var m []string
	for _, name := range names {
		if !f.done[sampleID{round, name}] {
			m = append(m, name)
		}
	}
	return m
}
