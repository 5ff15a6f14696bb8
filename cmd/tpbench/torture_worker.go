// This file runs one torture (a stress test: see package torture) in a process of its own, a
// worker, because a busted implementation may crash it. The worker reports on its standard output;
// the process that started it reads this, and finds out why a worker died or hangs.

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/torture"
)

// A message is a line of a worker's output, as JSON. The first one is empty: the worker has started.
// The next ones have the report so far. The last one, with End, has the whole report, or an Error if the
// implementation could not be tortured.
type message struct {
	torture.Report
	End   bool
	Error string
}

// newTortureWorker returns the hidden command of the worker: tpbench torture-worker FAMILY/NAME, as in
// tracepoint/naive-sync.
func newTortureWorker() *cobra.Command {
	var (
		o      torture.Options
		within time.Duration
	)
	cmd := startedCommand("torture-worker FAMILY/NAME", "Torture one implementation (torture starts it)", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		subjects, err := subjectsNamed(args)
		if err != nil {
			return err
		}
		if len(subjects) != 1 {
			return usagef("torture-worker: %q names %d implementations, say FAMILY/NAME", args[0], len(subjects))
		}
		// If the process that started this one does not read, writing a message blocks.
		time.AfterFunc(o.For+within, func() {
			fmt.Fprintf(cmd.ErrOrStderr(), "tpbench: the report was not read within %v\n", within)
			os.Exit(1)
		})
		return tortureHere(cmd.Context(), cmd.OutOrStdout(), subjects[0], o)
	})
	f := cmd.Flags()
	f.DurationVar(&o.For, "for", 10*time.Second, "how long to torture it")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of all random numbers")
	f.DurationVar(&within, "within", killAfter+3*grace, "the worker exits this long after --for if its report was not read")
	return cmd
}

// tortureHere tortures the subject in this process and writes messages.
func tortureHere(ctx context.Context, w io.Writer, s torture.Subject, o torture.Options) error {
	out := json.NewEncoder(w)
	_ = out.Encode(message{}) // if this fails, the last one does, too
	o.Progress = func(r torture.Report) { _ = out.Encode(message{Report: r}) }
	r, err := s.Torture(ctx, o)
	last := message{Report: r, End: true}
	if err != nil {
		last.Error = err.Error()
	}
	return errors.Join(err, out.Encode(last))
}

const (
	// killAfter is how much longer than --for a worker may take, to start, to prepare and
	// to end. Then it is interrupted and, after grace, killed.
	killAfter = 30 * time.Second

	// grace is how long a worker gets to report when it is interrupted, and to print
	// stacks when it hangs.
	grace = 5 * time.Second
)

// An outcome is how a subject's worker ended.
type outcome struct {
	torture.Report

	// hung is whether the worker did not end and was killed. doing is what its threads did then,
	// line by line.
	hung  bool
	doing []string
}

// tortureApart tortures the subject in a process of its own. If ctx is done, the report is
// about the time until then.
func tortureApart(ctx context.Context, s torture.Subject, o torture.Options) (outcome, error) {
	if err := checkSelf(); err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.For+killAfter)
	defer cancel()
	worker := itself(exec.Command(self, "torture-worker", "--for", o.For.String(), "--seed", strconv.FormatUint(o.Seed, 10), fullName(s)))
	out, err := watch(ctx, worker, grace, o.Progress)
	if err != nil {
		err = fmt.Errorf("torturing %s: %w", fullName(s), err)
	}
	return out, err
}

// watch runs a torture-worker until it ends. When ctx is done it interrupts the worker, which
// then reports. If the worker has not ended after grace, watch has it print its stacks and
// kills it. If the worker dies of a signal that its own code raised (see causeOf), that is a failure of
// the implementation; a failure that the worker had reported before comes first. An error means that
// the implementation could not be tortured.
func watch(ctx context.Context, worker *exec.Cmd, grace time.Duration, progress func(torture.Report)) (outcome, error) {
	harness.Isolate(worker)
	worker.WaitDelay = time.Second // a process that the worker started may hold its pipes open
	var stderr bytes.Buffer
	worker.Stderr = &stderr
	stdout, err := worker.StdoutPipe()
	if err != nil {
		return outcome{}, err
	}
	began := time.Now()
	if err := worker.Start(); err != nil {
		return outcome{}, err
	}
	var (
		last    message
		threads string
		ending  sync.WaitGroup
		ended   = make(chan struct{})
	)
	ending.Go(func() { threads = end(ctx, worker.Process, grace, ended) })
	for up, lines := false, json.NewDecoder(stdout); lines.Decode(&last) == nil; {
		if !up {
			up, began = true, time.Now()
		}
		progress(last.Report)
	}
	_ = worker.Wait() // ProcessState has it all
	close(ended)
	ending.Wait()

	out := outcome{Report: last.Report}
	switch {
	case last.Error != "":
		return out, errors.New(last.Error)
	case last.End:
		return out, nil
	}
	if out.Failure == "" {
		out.After = time.Since(began)
	}
	cause := causeOf(worker.ProcessState, stderr.String())
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		out.hung, out.doing = true, excerpt(threads, stderr.String())
		return out, nil
	case ctx.Err() != nil:
		return out, ctx.Err()
	case cause != "":
		out.Failure = cmp.Or(out.Failure, "died: "+cause)
		return out, nil
	}
	return out, fmt.Errorf("the worker ended without a report, %v %s", worker.ProcessState, strings.TrimSpace(stderr.String()))
}

// end interrupts the worker when ctx is done, unless it has ended. If it does not end within grace, end
// kills it, and returns a line for each of its threads.
func end(ctx context.Context, p *os.Process, grace time.Duration, ended <-chan struct{}) (threads string) {
	select {
	case <-ended:
		return ""
	case <-ctx.Done():
	}
	_ = p.Signal(os.Interrupt) // it may have ended by now
	select {
	case <-ended:
		return ""
	case <-time.After(grace):
		return harness.Interrogate(p, grace)
	}
}

// causeRE is the line of the runtime's report on a fatal error that names the cause.
var causeRE = regexp.MustCompile(`(?m)^\[?((?:SIG|signal SIG|fatal error: |panic: |unexpected fault ).*?)\]?$`)

// causeOf returns the fatal error that Go's runtime printed, or the signal that an instruction of the
// process raised, or "". A signal that another process or the kernel sent, such as SIGKILL where memory
// is short, is no failure of the implementation.
func causeOf(state *os.ProcessState, stderr string) string {
	if cause := causeRE.FindStringSubmatch(stderr); cause != nil {
		return cause[1]
	}
	raised := []syscall.Signal{
		syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV,
	}
	if s, ok := state.Sys().(syscall.WaitStatus); ok && slices.Contains(raised, s.Signal()) {
		return s.Signal().String()
	}
	return ""
}

// excerpt describes what a worker that hung did, in at most 40 lines: its threads, sleeping ones at the
// end, and the stacks that the runtime printed. A line of threads, from harness.Interrogate, has the
// state as in /proc, "S on CPU 1" for one that sleeps.
func excerpt(threads, stderr string) []string {
	const most, mostThreads, mostFrames = 40, 12, 4
	lines := strings.FieldsFunc(threads, func(r rune) bool { return r == '\n' })
	asleep := func(line string) int { return strings.Count(line, " S on CPU ") }
	slices.SortStableFunc(lines, func(a, b string) int { return asleep(a) - asleep(b) })
	if more := len(lines) - mostThreads; more > 0 {
		lines = append(lines[:mostThreads], fmt.Sprintf("and %s", plural(more, "more thread")))
	}
	for _, g := range goroutines(stderr) {
		if len(lines)+2 > most {
			break
		}
		lines = append(lines, g[:min(len(g), 1+mostFrames, most-len(lines))]...)
	}
	return lines
}

// What the runtime prints of a goroutine: its number, its state and, up to an empty line, its
// frames, in two lines each: the function and the place.
var (
	goroutineRE = regexp.MustCompile(`(?m)^goroutine (\d+) (?:\w+=\S+ )*\[(.*)\]:\n((?:.+\n)*)`)
	frameRE     = regexp.MustCompile(`(?m)^(?:.*/)?(\S+)\([^()\n]*\)\n\t(?:.*/)?(\S+)`)
)

// goroutines lists the goroutines in the runtime's report, each as a line and its frames, innermost first.
// It leaves out frames of package runtime, and goroutines without others. First come goroutines that
// run, then those locked to a thread, which readers and updaters are, then those ready to run.
func goroutines(stderr string) (list [][]string) {
	for _, g := range goroutineRE.FindAllStringSubmatch(stderr, -1) {
		lines := []string{fmt.Sprintf("goroutine %s, %s", g[1], g[2])}
		for _, f := range frameRE.FindAllStringSubmatch(g[3], -1) {
			if !strings.HasPrefix(f[1], "runtime.") {
				lines = append(lines, fmt.Sprintf("  %s %s", f[1], f[2]))
			}
		}
		if len(lines) > 1 {
			list = append(list, lines)
		}
	}
	rank := func(g []string) int {
		return slices.IndexFunc([]string{"running", "locked to thread", "runnable", ""}, func(s string) bool { return strings.Contains(g[0], s) })
	}
	slices.SortStableFunc(list, func(a, b []string) int { return rank(a) - rank(b) })
	return list
}
