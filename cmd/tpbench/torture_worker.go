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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/torture"
)

// A message is a line of a torture-worker's output: nothing in the first one, then the
// totals so far and, in the last one, the report, or why there is none.
type message struct {
	torture.Report
	End   bool
	Error string
}

// newTortureWorker is the process that tortures: tpbench torture-worker FAMILY/NAME.
func newTortureWorker() *cobra.Command {
	var o torture.Options
	cmd := &cobra.Command{
		Use:    "torture-worker FAMILY/NAME",
		Short:  "Torture one implementation (started by torture)",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			subjects, err := subjectsNamed(args)
			if err != nil {
				return err
			}
			if len(subjects) != 1 {
				return usagef("torture-worker: %q names %d implementations, say FAMILY/NAME", args[0], len(subjects))
			}
			return tortureHere(cmd.Context(), cmd.OutOrStdout(), subjects[0], o)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.For, "for", 10*time.Second, "how long to try")
	f.Uint64Var(&o.Seed, "seed", 0, "what all draws come from")
	return cmd
}

// tortureHere tortures the subject in this process and writes messages.
func tortureHere(ctx context.Context, w io.Writer, s torture.Subject, o torture.Options) error {
	out := json.NewEncoder(w)
	say := func(m message) {
		if err := out.Encode(m); err != nil {
			panic(err) // nobody listens: there is no point in going on
		}
	}
	say(message{})
	o.Progress = func(r torture.Report) { say(message{Report: r}) }
	r, err := s.Torture(ctx, o)
	last := message{Report: r, End: true}
	if err != nil {
		last.Error = err.Error()
	}
	say(last)
	return err
}

// mercy is how much longer than asked for a worker may take.
const mercy = 30 * time.Second

// tortureApart tortures the subject in a process of its own. If ctx is done the report
// is of what was done until then.
func tortureApart(ctx context.Context, s torture.Subject, o torture.Options) (torture.Report, error) {
	self, err := os.Executable()
	if err != nil {
		return torture.Report{}, fmt.Errorf("finding this binary, to start a worker: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.For+mercy)
	defer cancel()
	worker := exec.CommandContext(ctx, self, "torture-worker", "--for", o.For.String(), "--seed", strconv.FormatUint(o.Seed, 10), fullName(s))
	r, err := watch(ctx, worker, o.Progress)
	if err != nil {
		err = fmt.Errorf("torturing %s: %w", fullName(s), err)
	}
	return r, err
}

// watch runs a torture-worker that was made for ctx. The death of the worker, and that
// it goes on when ctx is done, are failures of its subject. The error is of the
// attempt.
func watch(ctx context.Context, worker *exec.Cmd, progress func(torture.Report)) (torture.Report, error) {
	harness.Isolate(worker)
	worker.Cancel = func() error { return worker.Process.Signal(os.Interrupt) } // it says how far it came
	worker.WaitDelay = 2 * time.Second
	var dying bytes.Buffer
	worker.Stderr = &dying
	stdout, err := worker.StdoutPipe()
	if err != nil {
		return torture.Report{}, err
	}
	began := time.Now()
	if err := worker.Start(); err != nil {
		return torture.Report{}, err
	}
	var last message
	up := false
	for lines := json.NewDecoder(stdout); lines.Decode(&last) == nil; {
		if !up {
			up, began = true, time.Now()
		}
		progress(last.Report)
	}
	_ = worker.Wait() // ProcessState has it all
	switch {
	case last.Error != "":
		return last.Report, errors.New(last.Error)
	case last.End:
		return last.Report, nil
	}
	last.After = time.Since(began)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		last.Failure = fmt.Sprintf("did not end: killed after %v", last.After.Round(time.Second))
		return last.Report, nil
	}
	if ctx.Err() != nil {
		return last.Report, ctx.Err()
	}
	words := lastWords(dying.String())
	if cause := fault(worker.ProcessState); words != "" || cause != "" {
		last.Failure = "died: " + cmp.Or(words, cause)
		return last.Report, nil
	}
	return last.Report, fmt.Errorf("the worker ended without a report, %v %s", worker.ProcessState, strings.TrimSpace(dying.String()))
}

// lastWords is the line of the runtime's report on a fatal error that names the cause,
// or "".
func lastWords(stderr string) string {
	for line := range strings.Lines(stderr) {
		for _, cause := range []string{"SIG", "fatal error: ", "panic: ", "unexpected fault "} {
			if strings.HasPrefix(strings.TrimPrefix(line, "[signal "), cause) {
				return strings.Trim(line, "[]\n")
			}
		}
	}
	return ""
}

// fault is the signal that a process raised by what it did and died of, or "". What
// others send says nothing about it: a machine short of memory kills, too.
func fault(state *os.ProcessState) string {
	raised := []syscall.Signal{syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV}
	if s, ok := state.Sys().(syscall.WaitStatus); ok && s.Signaled() && slices.Contains(raised, s.Signal()) {
		return s.Signal().String()
	}
	return ""
}
