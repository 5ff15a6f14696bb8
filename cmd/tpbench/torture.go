package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/torture/all"
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
		Long:  tortureHelp,
		Example: fmt.Sprintf(`  1. A sound implementation and a busted one. The rows (some columns are left out here) say
     that the first held, and which invariant the second broke: T1, a probe was called with
     another's data.

  tpbench torture --impl tracepoint/%[1]s,tracepoint/%[2]s

     tracepoint  %-18[1]s  sound   held    10.0 s   -
     tracepoint  %-18[2]s  busted  caught  31.2 ms  T1: f2 was called with f1#941

  2. The first one again, for longer, with the seed that a record printed. The threads draw
     the same, but the kernel schedules them differently. So the same failure may come sooner or
     later, or not at all.

  tpbench torture --impl tracepoint/%[1]s --for 5m --seed 7`,
			strategyOf(impls.Sound), strategyOf(impls.Busted)),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if each <= 0 {
				return usagef("--for %v: expected more than 0", each)
			}
			named := cmd.Flags().Changed("impl")
			if named && len(names) == 0 {
				return usagef("--impl: expected names, with commas between them")
			}
			subjects, err := subjectsNamed(names)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("seed") {
				seed = rand.Uint64()
			}
			return tortureAll(cmd, subjects, each, seed, named)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&names, "impl", nil, "implementations, by name or family/name (default all)")
	f.DurationVar(&each, "for", 10*time.Second, "how long to try each of them")
	f.Uint64Var(&seed, "seed", 0, "what all draws come from (default random; it is printed)")
	return cmd
}

const tortureHelp = `torture tries to break each implementation, and reports whether it did what its status promises:
a sound one must hold; a busted one, which is wrong on purpose, must be caught.

Threads use the implementation at random, as its callers do. Readers check what they find
against the invariants of the family. Intruders take a reader's CPU away at any instruction,
so that an updater meets the reader anywhere. The families:

  1. rcu         flavours of grace periods
  2. textpoke    ways to patch text
  3. dispatch    ways to fire a site's probes
  4. tracepoint  strategies to register and unregister probes
  5. unregister  ways to remove probes when memory fails
  6. livepatch   ways to wait for tasks
  7. uprobe      ways to keep a uprobe alive during a hit

Each implementation runs in a process of its own. A violated invariant is a failure and ends
the run. A signal that the process raises itself is a failure, too. The verdicts:

  1. held         it is sound, and nothing failed
  2. caught       it is busted, and it failed
  3. BROKE        it is sound, and it failed
  4. NOT CAUGHT   it is busted, and nothing failed
  5. NOT TRIED    nothing failed, but nothing was executed or nothing was changed, or the
                  threads started so late that they were stopped before --for was over
  6. DID NOT END  its process was killed; what its threads did is printed

How long: 10s, the default, is enough to catch each busted implementation, unless other
programs use the CPUs; try one that is NOT CAUGHT again with 30s. A sound one has not been
shown to be right by 10s: try a new one for minutes.

The exit codes:

  0    every verdict is held or caught
  1    another verdict, or the output could not be written
  2    bad usage
  3    this machine cannot run an implementation that --impl names, or none at all
  130  interrupted`

// strategyOf returns the name of the first strategy of that status.
func strategyOf(status impls.Status) string {
	subjects := all.Subjects()
	return subjects[slices.IndexFunc(subjects, func(s torture.Subject) bool {
		return s.Family == "tracepoint" && s.Status == status
	})].Name
}

// subjectsNamed returns the subjects of these names, all for nil.
func subjectsNamed(names []string) ([]torture.Subject, error) {
	subjects := all.Subjects()
	if names == nil {
		return subjects, nil
	}
	for _, n := range names {
		var have []string
		for _, s := range subjects {
			name := s.Name
			if strings.Contains(n, "/") {
				name = fullName(s)
			}
			if !slices.Contains(have, name) {
				have = append(have, name)
			}
		}
		if !slices.Contains(have, n) {
			return nil, &impls.UnknownError{Kind: "implementation", Name: n, Nearest: impls.Nearest(n, have)}
		}
	}
	return slices.DeleteFunc(subjects, func(s torture.Subject) bool {
		return !slices.Contains(names, s.Name) && !slices.Contains(names, fullName(s))
	}), nil
}

func fullName(s torture.Subject) string { return s.Family + "/" + s.Name }

// tortureAll tortures the subjects one after the other and prints a row for each as it
// ends. If --impl names them, a subject that cannot run here is an error.
func tortureAll(cmd *cobra.Command, subjects []torture.Subject, each time.Duration, seed uint64, named bool) error {
	w := &checkedWriter{w: cmd.OutOrStdout()}
	for _, f := range host.Facts() {
		if slices.Contains([]string{"cpu", "cpus-allowed", "hypervisor", "kernel", "go", "go-flags", "commit", "date"}, f.Key) {
			fmt.Fprintf(w, "%s: %s\n", f.Key, f.Value)
		}
	}
	fmt.Fprintf(w, "seed: %d\nfor: %v each\n\n", seed, each)
	t := newTortureTable(w, subjects)
	var (
		sum    = summary{each: each}
		cannot error
		ctx    = cmd.Context()
		bar    = newProgress(cmd.ErrOrStderr())
	)
	for i, s := range subjects {
		if w.err != nil {
			break // the rest could not be read
		}
		if err := s.Check(); err != nil {
			t.line(s.Family, s.Name, s.Status, "", "", "", "cannot run here: "+err.Error(), "", "")
			cannot = cmp.Or(cannot, err)
			sum.cannot++
			continue
		}
		next := fmt.Sprintf("%d of %d: %s", i+1, len(subjects), fullName(s))
		bar.note("%s", next)
		out, err := tortureApart(ctx, s, torture.Options{For: each, Seed: seed, Progress: func(r torture.Report) {
			bar.redraw("%s, %s executions", next, counted(r.Executions))
		}})
		bar.end()
		if err != nil && ctx.Err() == nil {
			sum.print(w)
			return errors.Join(err, w.err)
		}
		if ctx.Err() != nil && out.Failure == "" {
			t.row(s, out, "interrupted")
		} else {
			verdict := sum.add(s, out)
			t.row(s, out, verdict)
			if verdict != held && verdict != caught {
				t.again(s, out, each, seed)
			}
		}
		if ctx.Err() != nil {
			sum.print(w)
			if w.err != nil {
				return w.err
			}
			return interruptedError(fmt.Sprintf("interrupted at %s, %d of %d; what is above counts", fullName(s), i+1, len(subjects)))
		}
	}
	sum.print(w)
	switch {
	case len(sum.wrong) > 0:
		return errors.Join(errors.New(join(sum.wrong)), w.err)
	case w.err != nil:
		return w.err
	case named || sum.cannot == len(subjects):
		return cannot
	}
	return nil
}

// A checkedWriter remembers the first error of writing, and writes nothing after it.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(p)
	if err != nil {
		c.err = fmt.Errorf("the output could not be written: %w", err)
	}
	return n, err
}

// A tortureTable is printed row by row, so its widths are fixed before the first row.
type tortureTable struct {
	w      io.Writer
	format string
}

func newTortureTable(w io.Writer, subjects []torture.Subject) *tortureTable {
	name := len("variant")
	for _, s := range subjects {
		name = max(name, len(s.Name))
	}
	t := &tortureTable{w, fmt.Sprintf("%%-10s  %%-%ds  %%-6v  %%15s  %%11s  %%13s  %%-11s  %%7s  %%s", name)}
	t.line("family", "variant", "status", "executions", "transitions", "grace periods", "verdict", "after", "first failure")
	return t
}

func (t *tortureTable) line(cells ...any) {
	fmt.Fprintln(t.w, strings.TrimRight(fmt.Sprintf(t.format, cells...), " "))
}

// row prints a subject's row. It shows what the failure is; again shows what led to it. Under
// the row of a worker that hung is what its threads did.
func (t *tortureTable) row(s torture.Subject, out outcome, verdict string) {
	what, _, _ := strings.Cut(out.Failure, "; ")
	switch {
	case out.hung && what != "":
		what += "; then it did not end"
	case out.hung:
		what = "did not end"
	}
	number := counted
	if out.Tally == (torture.Tally{}) { // it died before its first report
		number = func(uint64) string { return "-" }
	}
	t.line(s.Family, s.Name, s.Status, number(out.Executions), number(out.Transitions), number(out.GracePeriods),
		verdict, results.Human(out.After.Seconds(), "sec/op"), cmp.Or(what, "-"))
	for _, line := range out.doing {
		fmt.Fprintf(t.w, "            %s\n", line)
	}
}

// again prints, under a row, what led to its failure and the command that tries it again.
func (t *tortureTable) again(s torture.Subject, out outcome, each time.Duration, seed uint64) {
	if _, changes, ok := strings.Cut(out.Failure, "; "); ok {
		fmt.Fprintf(t.w, "            %s\n", changes)
	}
	fmt.Fprintf(t.w, "            again: tpbench torture --impl %s --for %v --seed %d\n", fullName(s), each, seed)
}

func counted(n uint64) string { return results.Human(float64(n), "") }

// Verdicts, as the help explains them. All but the first two make the exit code 1.
const (
	held    = "held"
	caught  = "caught"
	broke   = "BROKE"
	missed  = "NOT CAUGHT"
	untried = "NOT TRIED"
	endless = "DID NOT END"
)

// A summary counts verdicts.
type summary struct {
	each                 time.Duration // --for
	held, caught, cannot int
	executions           uint64   // by those that held
	wrong                []string // subjects with other verdicts than held and caught, and these
}

// add counts and returns the subject's verdict. A failure counts even if the worker hung
// afterwards. Without a failure, a run that hung shows nothing, and neither does one that tried
// nothing or was shorter than --for: on a busy machine threads may start so late that their
// process is stopped first.
func (s *summary) add(of torture.Subject, out outcome) (verdict string) {
	failed, sound := out.Failure != "", of.Status == impls.Sound
	switch {
	case failed && sound:
		verdict = broke
	case failed:
		s.caught++
		return caught
	case out.hung:
		verdict = endless
	case out.Executions == 0 || out.Transitions == 0 || out.After < s.each:
		verdict = untried
	case sound:
		s.held++
		s.executions += out.Executions
		return held
	default:
		verdict = missed
	}
	s.wrong = append(s.wrong, fullName(of)+": "+verdict)
	return verdict
}

// print writes the sentence below the table.
func (s *summary) print(w io.Writer) {
	var parts []string
	if s.held > 0 {
		parts = append(parts, fmt.Sprintf("%s held over %s executions", plural(s.held, "sound implementation"), counted(s.executions)))
	}
	switch {
	case s.caught == 1:
		parts = append(parts, "1 busted one was caught")
	case s.caught > 1:
		parts = append(parts, fmt.Sprintf("%d busted ones were caught", s.caught))
	}
	parts = append(parts, s.wrong...)
	if s.cannot > 0 {
		parts = append(parts, fmt.Sprintf("%d cannot run here", s.cannot))
	}
	if len(parts) == 0 {
		parts = []string{"no run ended"}
	}
	fmt.Fprintf(w, "\n%s.\n", strings.Join(parts, "; "))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
