package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/results"
)

func newTorture() *cobra.Command {
	var (
		names []string
		each  time.Duration
		seed  uint64
	)
	cmd := &cobra.Command{
		Use:   "torture",
		Short: "Try to break each implementation: sound ones must hold, busted ones must break",
		Long: `torture tries to break each implementation: strategies, ways to dispatch, ways to patch
text and flavours of grace periods. Each is run in a process of its own, whose death
is a result like any other. A busted one ends at its first failure.

The exit code is 0 only if every sound one held and every busted one broke.`,
		Example: `  tpbench torture
  tpbench torture --impl rcu-cond-sync,naive-sync --for 1m
  tpbench torture --impl dispatch/static-call --for 10s --seed 7`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if each <= 0 {
				return usagef("--for %v: expected more than 0", each)
			}
			subjects, err := subjectsNamed(names)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("seed") {
				seed = rand.Uint64()
			}
			return tortureAll(cmd, subjects, each, seed, names != nil)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&names, "impl", nil, "implementations, by name or family/name (default all)")
	f.DurationVar(&each, "for", 10*time.Second, "how long to try each of them")
	f.Uint64Var(&seed, "seed", 0, "what all draws come from (default random; it is printed)")
	return cmd
}

// subjectsNamed returns the subjects of these names, all for nil.
func subjectsNamed(names []string) ([]torture.Subject, error) {
	all := torture.Subjects()
	if names == nil {
		return all, nil
	}
	wanted := map[int]bool{}
	for _, n := range names {
		found := false
		var have []string
		for i, s := range all {
			have = append(have, s.Name)
			if n == s.Name || n == fullName(s) {
				wanted[i], found = true, true
			}
		}
		if !found {
			return nil, &impls.UnknownError{Kind: "implementation", Name: n, Nearest: impls.Nearest(n, have)}
		}
	}
	var list []torture.Subject
	for i, s := range all {
		if wanted[i] {
			list = append(list, s)
		}
	}
	return list, nil
}

func fullName(s torture.Subject) string { return s.Family + "/" + s.Name }

// tortureAll tortures the subjects one after the other and prints a row for each. If
// they were asked for by name, one that cannot run here is an error.
func tortureAll(cmd *cobra.Command, subjects []torture.Subject, each time.Duration, seed uint64, named bool) error {
	w := cmd.OutOrStdout()
	for _, f := range host.Facts() {
		if slices.Contains([]string{"cpu", "cpus-allowed", "hypervisor", "kernel", "go", "commit", "date"}, f.Key) {
			fmt.Fprintf(w, "%s: %s\n", f.Key, f.Value)
		}
	}
	fmt.Fprintf(w, "seed: %d\nfor: %v each\n\n", seed, each)
	const columns = "%-10s  %-18s  %-6v  %15s  %11s  %13s  %-10s  %8s  %s\n"
	fmt.Fprintf(w, columns, "family", "variant", "status", "executions", "transitions", "grace periods", "verdict", "after", "first failure")
	var (
		sum     summary
		cannot  error
		ran     int
		ctx     = cmd.Context()
		bar     = newProgress(cmd.ErrOrStderr())
		counted = func(n uint64) string { return results.Human(float64(n), "") }
	)
	for i, s := range subjects {
		if err := s.Check(); err != nil {
			fmt.Fprintf(w, "%-10s  %-18s  cannot run here: %v\n", s.Family, s.Name, err)
			cannot = cmp.Or(cannot, err)
			continue
		}
		bar.note("%d of %d: %s", i+1, len(subjects), fullName(s))
		r, err := tortureApart(ctx, s, each, seed)
		bar.end()
		if ctx.Err() != nil {
			fmt.Fprintf(w, "\n%s\n", &sum)
			return interruptedError(fmt.Sprintf("interrupted at %s, %d of %d; what is above counts", fullName(s), i+1, len(subjects)))
		}
		if err != nil {
			return err
		}
		ran++
		what, why, _ := strings.Cut(r.Failure, "; ")
		verdict := sum.add(s, r)
		fmt.Fprintf(w, columns, s.Family, s.Name, s.Status, counted(r.Executions), counted(r.Transitions), counted(r.GracePeriods), verdict,
			results.Human(r.After.Seconds(), "sec/op"), cmp.Or(what, "-"))
		if verdict == broke || verdict == missed {
			if why != "" {
				fmt.Fprintf(w, "            %s\n", why)
			}
			fmt.Fprintf(w, "            again: tpbench torture --impl %s --for %v --seed %d\n", fullName(s), each, seed)
		}
	}
	if ran == 0 || named && cannot != nil {
		return cannot
	}
	fmt.Fprintf(w, "\n%s\n", &sum)
	if sum.wrong() {
		return errors.New("not every implementation is what it says it is")
	}
	return nil
}

// Verdicts. The last two are what the exit code is about.
const (
	held   = "held"
	caught = "caught"
	broke  = "BROKE"
	missed = "NOT CAUGHT"
)

// A summary counts verdicts.
type summary struct {
	n          map[string]int
	executions uint64 // by those that held
}

func (s *summary) add(of torture.Subject, r torture.Report) (verdict string) {
	switch {
	case of.Status == impls.Sound && r.Failure == "":
		verdict = held
		s.executions += r.Executions
	case of.Status == impls.Sound:
		verdict = broke
	case r.Failure == "":
		verdict = missed
	default:
		verdict = caught
	}
	if s.n == nil {
		s.n = map[string]int{}
	}
	s.n[verdict]++
	return verdict
}

func (s *summary) wrong() bool { return s.n[broke]+s.n[missed] > 0 }

func (s *summary) String() string {
	text := fmt.Sprintf("%d sound implementations held, over %s executions; %d busted ones were caught.",
		s.n[held], results.Human(float64(s.executions), ""), s.n[caught])
	if s.n[broke] > 0 {
		text += fmt.Sprintf(" %d that should be sound BROKE.", s.n[broke])
	}
	if s.n[missed] > 0 {
		text += fmt.Sprintf(" %d busted NOT CAUGHT.", s.n[missed])
	}
	return text
}

// A message is a line of a torture-worker's output: nothing yet, the totals so far or, at
// the end, the report.
type message struct {
	torture.Report
	End bool
}

// mercy is how much longer than asked for a worker may take.
const mercy = 30 * time.Second

// tortureApart tortures the subject in a process of its own. Its death is a failure of
// the subject; the error is of the attempt.
func tortureApart(ctx context.Context, s torture.Subject, each time.Duration, seed uint64) (torture.Report, error) {
	self, err := os.Executable()
	if err != nil {
		return torture.Report{}, fmt.Errorf("finding this binary, to start a worker: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, each+mercy)
	defer cancel()
	worker := exec.CommandContext(ctx, self, "torture-worker", "--for", each.String(), "--seed", strconv.FormatUint(seed, 10), fullName(s))
	worker.WaitDelay = time.Second
	var dying bytes.Buffer
	worker.Stderr = &dying
	stdout, err := worker.StdoutPipe()
	if err != nil {
		return torture.Report{}, err
	}
	began := time.Now()
	if err := worker.Start(); err != nil {
		return torture.Report{}, fmt.Errorf("starting a worker: %w", err)
	}
	var last message
	lines := json.NewDecoder(stdout)
	if lines.Decode(&last) == nil { // it has come up
		began = time.Now()
	}
	for lines.Decode(&last) == nil {
	}
	after := time.Since(began)
	err = worker.Wait()
	var exit *exec.ExitError
	switch {
	case last.End:
		return last.Report, nil
	case ctx.Err() != nil:
		last.Failure = fmt.Sprintf("it did not end within %v", each+mercy)
	case err == nil:
		return last.Report, fmt.Errorf("the worker of %s ended without a report", fullName(s))
	case errors.As(err, &exit) && exit.ExitCode() != 1: // by a signal, or by the runtime's own report
		last.Failure = "died: " + lastWords(dying.String(), exit.String())
	default:
		return last.Report, fmt.Errorf("the worker of %s: %s", fullName(s), strings.TrimSpace(dying.String()))
	}
	last.After = after
	return last.Report, nil
}

// lastWords is what a process that died said of it: the first line of the runtime's
// report that names a cause, or how it ended.
func lastWords(stderr, state string) string {
	for line := range strings.Lines(stderr) {
		for _, cause := range []string{"SIG", "fatal error:", "panic:", "unexpected fault"} {
			if strings.Contains(line, cause) {
				return strings.Trim(line, "[]\n")
			}
		}
	}
	return state
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
	o.Progress = func(t torture.Tally) { say(message{Report: torture.Report{Tally: t}}) }
	r, err := s.Torture(ctx, o)
	if err != nil {
		return err
	}
	say(message{r, true})
	return nil
}
