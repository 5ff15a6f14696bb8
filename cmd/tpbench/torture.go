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
		Long: `torture tries to break each implementation: strategies, ways to dispatch, ways to remove
probes, ways to patch text and flavours of grace periods. Each is run in a process of its own, whose death
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
			name := s.Name
			if strings.Contains(n, "/") {
				name = fullName(s)
			}
			if n == name {
				wanted[i], found = true, true
			}
			if !slices.Contains(have, name) {
				have = append(have, name)
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

// tortureAll tortures the subjects one after the other and prints a row for each as it
// ends. If they were asked for by name, one that cannot run here is an error.
func tortureAll(cmd *cobra.Command, subjects []torture.Subject, each time.Duration, seed uint64, named bool) error {
	w := cmd.OutOrStdout()
	for _, f := range host.Facts() {
		if slices.Contains([]string{"cpu", "cpus-allowed", "hypervisor", "kernel", "go", "go-flags", "commit", "date"}, f.Key) {
			fmt.Fprintf(w, "%s: %s\n", f.Key, f.Value)
		}
	}
	fmt.Fprintf(w, "seed: %d\nfor: %v each\n\n", seed, each)
	t := newTortureTable(w, subjects)
	var (
		sum    summary
		cannot error
		ctx    = cmd.Context()
		bar    = newProgress(cmd.ErrOrStderr())
	)
	for i, s := range subjects {
		if err := s.Check(); err != nil {
			t.cannot(s, err)
			cannot = cmp.Or(cannot, err)
			sum.cannot++
			continue
		}
		next := fmt.Sprintf("%d of %d: %s", i+1, len(subjects), fullName(s))
		bar.note("%s", next)
		r, err := tortureApart(ctx, s, torture.Options{For: each, Seed: seed, Progress: func(t torture.Report) {
			bar.redraw("%s, %s executions", next, counted(t.Executions))
		}})
		bar.end()
		if err != nil && ctx.Err() == nil {
			sum.print(w)
			return err
		}
		if ctx.Err() != nil && r.Failure == "" {
			t.row(s, r, "interrupted")
		} else {
			verdict := sum.add(s, r)
			t.row(s, r, verdict)
			if verdict == broke || verdict == missed || verdict == untried {
				t.again(s, r, each, seed)
			}
		}
		if ctx.Err() != nil {
			sum.print(w)
			return interruptedError(fmt.Sprintf("interrupted at %s, %d of %d; what is above counts", fullName(s), i+1, len(subjects)))
		}
	}
	sum.print(w)
	switch {
	case len(sum.wrong) > 0:
		return errors.New(join(sum.wrong))
	case named || sum.cannot == len(subjects):
		return cannot
	}
	return nil
}

// A tortureTable is printed row by row, so its widths are fixed before the first.
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

// row shows what a failure is; what led to it is for those who look into it.
func (t *tortureTable) row(s torture.Subject, r torture.Report, verdict string) {
	what, _, _ := strings.Cut(r.Failure, "; ")
	number := counted
	if r.Tally == (torture.Tally{}) { // it died before it could tell
		number = func(uint64) string { return "-" }
	}
	t.line(s.Family, s.Name, s.Status, number(r.Executions), number(r.Transitions), number(r.GracePeriods),
		verdict, results.Human(r.After.Seconds(), "sec/op"), cmp.Or(what, "-"))
}

func (t *tortureTable) cannot(s torture.Subject, why error) {
	t.line(s.Family, s.Name, s.Status, "", "", "", "cannot run here: "+why.Error(), "", "")
}

// again says under a row what led to its failure and how to try once more.
func (t *tortureTable) again(s torture.Subject, r torture.Report, each time.Duration, seed uint64) {
	if _, story, ok := strings.Cut(r.Failure, "; "); ok {
		fmt.Fprintf(t.w, "            %s\n", story)
	}
	fmt.Fprintf(t.w, "            again: tpbench torture --impl %s --for %v --seed %d\n", fullName(s), each, seed)
}

func counted(n uint64) string { return results.Human(float64(n), "") }

// Verdicts. The last three are what the exit code is about.
const (
	held    = "held"
	caught  = "caught"
	broke   = "BROKE"
	missed  = "NOT CAUGHT"
	untried = "NOT TRIED" // nothing was changed under the readers: no merit in that
)

// A summary counts verdicts.
type summary struct {
	held, caught, cannot int
	executions           uint64   // by those that held
	wrong                []string // those that are not what their status says, and how
}

func (s *summary) add(of torture.Subject, r torture.Report) (verdict string) {
	switch {
	case of.Status == impls.Sound && r.Failure == "" && r.Transitions == 0:
		verdict = untried
	case of.Status == impls.Sound && r.Failure == "":
		s.held++
		s.executions += r.Executions
		return held
	case of.Status == impls.Busted && r.Failure != "":
		s.caught++
		return caught
	case of.Status == impls.Sound:
		verdict = broke
	default:
		verdict = missed
	}
	s.wrong = append(s.wrong, fullName(of)+": "+verdict)
	return verdict
}

// print writes the sentence that closes the table.
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
		parts = []string{"nothing came to its end"}
	}
	fmt.Fprintf(w, "\n%s.\n", strings.Join(parts, "; "))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
