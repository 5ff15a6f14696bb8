package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// A Runner runs plans.
type Runner struct {
	// Worker returns the command of a process that calls Work for the case of
	// these names and prints what it writes.
	Worker func(ctx context.Context, names []string, layout int, patience time.Duration) *exec.Cmd

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

// A worker waits for a quiet core for as long as patience, until a run has waited
// for impatience in all.
const (
	patience   = time.Second
	impatience = 10 * time.Second
)

// Run measures what the plan asks for and f does not hold yet, and ends f; what was
// lost can be had by running again. If ctx is
// done it keeps what was measured, says so in f, and returns ctx's error.
func (r *Runner) Run(ctx context.Context, plan *Plan, f *File) (Report, error) {
	report := Report{Done: f.Done(), Total: plan.Samples()}
	spent := newSpending(plan)
	waited := time.Duration(0)
	for round, order := range plan.order() {
		if err := f.line("# round %d layout %d\n", round, round); err != nil {
			return report, err
		}
		for _, i := range order {
			c := &plan.Cases[i]
			missing := f.missing(round, c.Wanted)
			if len(missing) == 0 {
				spent.skip(i)
				continue
			}
			if r.Progress != nil {
				r.Progress(Progress{report.Done, report.Total, missing[0], spent.left()})
			}
			began := time.Now()
			wait := min(patience, impatience-waited)
			lines, err := r.sample(ctx, missing, round, wait)
			if ctx.Err() != nil {
				return report, errors.Join(ctx.Err(),
					f.end("# end interrupted %d of %d samples\n", report.Done, report.Total))
			}
			spent.add(i, time.Since(began))
			if err != nil {
				for _, name := range missing {
					why := fmt.Sprintf("lost round %d Benchmark%s: %v", round, name, err)
					report.Lost = append(report.Lost, why)
					lines = fmt.Appendf(lines, "# %s\n", why)
				}
			} else {
				report.Done += len(missing)
				if bytes.Contains(lines, []byte("# noisy ")) {
					waited += wait
				}
			}
			if err := f.line("%s", lines); err != nil {
				return report, err
			}
		}
	}
	if report.Done < report.Total {
		return report, f.end("# end incomplete %d of %d samples\n", report.Done, report.Total)
	}
	return report, f.end("# end complete\n")
}

// sample runs one worker and returns its lines, or in one sentence why it has none.
func (r *Runner) sample(ctx context.Context, names []string, layout int, wait time.Duration) ([]byte, error) {
	cmd := r.Worker(ctx, names, layout, wait)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	Isolate(cmd)
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("worker died: %w%s", err, firstLine(complaint.String()))
	}
	for _, name := range names {
		if !bytes.Contains(out.Bytes(), []byte("Benchmark"+name+" ")) {
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
	return ": " + line
}

// line appends to the file in one write, so that a run that is cut off leaves whole
// lines.
func (f *File) line(format string, args ...any) error {
	if _, err := fmt.Fprintf(f.f, format, args...); err != nil {
		return fmt.Errorf("harness: writing results: %w", err)
	}
	return nil
}

func (f *File) end(format string, args ...any) error {
	if err := f.line(format, args...); err != nil {
		return err
	}
	if err := f.f.Close(); err != nil {
		return fmt.Errorf("harness: writing results: %w", err)
	}
	return nil
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
