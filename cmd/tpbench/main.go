// Command tpbench compares strategies that switch tracepoints on and off: what a site costs
// that is off or on, what switching costs, and how many grace periods it waits for.
//
// Without arguments it measures the evidence: all strategies in one run, with 1,000
// events, in about a minute. The result is tables, one sentence to quote, a result file and
// charts. `tpbench --help` lists the other commands.
//
// Exit codes:
//
//	0    no error
//	1    something failed during the run, or torture found an implementation whose status is
//	     wrong, or the verdict of a comparison is worse, or, with --gate, slower
//	2    wrong usage or wrong input
//	3    this machine cannot run what was asked for
//	130  interrupted; what was measured is kept
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/builds"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/guest"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/kernel"
	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills this process
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tpbench:", sentence(err))
	}
	os.Exit(exitCode(err))
}

// newRoot makes the command with all its subcommands.
func newRoot() *cobra.Command {
	evidence := newEvidence()
	root := &cobra.Command{
		Use:   "tpbench",
		Short: "Compare strategies that switch tracepoints on and off",
		Long: `tpbench compares strategies that switch tracepoints on and off: what an
instrumented place (a site) costs, what switching it costs, and how many grace
periods (waits until no reader can use what was removed) that takes.

Without a command it runs "tpbench evidence".`,
		Example: `  tpbench                                  measure the evidence: 1,000 events, about a minute
  tpbench list                             list implementations and benchmarks, and what cannot run here
  tpbench run --bench Churn -o churn.txt   measure one benchmark, to a file
  tpbench torture                          try to break each implementation
  tpbench kernel                           measure the running kernel itself, as root
  tpbench ab main my-branch                compare two revisions, with a verdict for each benchmark
  tpbench compare old.txt new.txt          compare two files, likewise
  tpbench doctor                           check what on this machine makes measurements worse`,
		Args: noArgs,
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			sweep(cmd, kernel.Sweep)
		},
		RunE:          evidence.RunE,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.Flags().AddFlagSet(evidence.Flags())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; `%s --help` lists the flags", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(evidence, newList(), newRun(), newKernel(), newCompare(), newAB(), newSelftest(), newTorture(), newDoctor(), newWorker(), newTortureWorker(), newCommandWorker(), newGuestInit(), newGuestWorker())
	return root
}

// sweep puts back what killed runs have left in the running kernel. Events that are on make every
// transition a different one. Workers do not sweep here: the command that started them does, and those that measure the
// kernel do it before they begin (alone).
func sweep(cmd *cobra.Command, swept func() ([]string, error)) {
	if cmd.Hidden {
		return
	}
	removed, err := swept()
	for _, what := range removed {
		fmt.Fprintf(cmd.ErrOrStderr(), "removed %s, left by a run that was killed\n", what)
	}
	if err != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "tpbench:", sentence(err))
	}
}

// sentence returns an error as text for a terminal. File names and quotations in it may hold
// control characters, which it escapes.
func sentence(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = results.Visible(lines[i])
	}
	text := strings.Join(lines, "\n")
	if fs := ofMachine(err); fs != "" && exitCode(err) == 3 && errors.Is(err, os.ErrNotExist) {
		text += fmt.Sprintf("; this needs /%[1]s, as root: mount -t %[2]s %[2]s /%[1]s", fs, map[string]string{"proc": "proc", "sys": "sysfs"}[fs])
	}
	return text
}

// ofMachine returns "proc" or "sys" if an error is about a file of that file system, or "". Such
// a file is no wrong name of the user's: the machine lacks it.
func ofMachine(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return ""
	}
	top, _, below := strings.Cut(strings.TrimPrefix(path.Path, "/"), "/")
	if below && strings.HasPrefix(path.Path, "/") && (top == "proc" || top == "sys") {
		return top
	}
	return ""
}

// A usageError is wrong usage: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// noArgs returns an error if there are arguments. An argument of the root command is the name of
// a command that does not exist.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return usagef("%s takes no arguments, not %q; see `%s --help`", cmd.Name(), args[0], cmd.CommandPath())
	}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return &impls.UnknownError{Kind: "command", Name: args[0], Nearest: impls.Nearest(args[0], names)}
}

// is reports whether an error is or wraps an E.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// exitCode returns the exit code that the package's documentation promises.
func exitCode(err error) int {
	path, ofFile := errors.AsType[*fs.PathError](err)
	build, ofBuild := errors.AsType[*builds.BuildError](err)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return 130
	case is[*guest.DeadError](err), errors.Is(err, impls.ErrUnsupported), errors.Is(err, clock.ErrUnavailable), is[*host.UnavailableError](err), is[*builds.MissingError](err):
		return 3
	case ofFile && slices.Contains([]string{"write", "sync", "close"}, path.Op),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT),
		ofBuild && strings.Contains(build.Output, syscall.ENOSPC.Error()): // the disk is full; the name is not wrong
		return 1
	case is[usageError](err), is[*impls.UnknownError](err), is[*results.FormatError](err), is[*results.MissingError](err), is[*compare.TimeError](err),
		is[*harness.FileError](err), is[*plots.FileError](err), is[*builds.InputError](err), is[*builds.BuildError](err), is[*guest.ImageError](err):
		return 2
	case ofMachine(err) != "":
		return 3
	case ofFile:
		return 2
	}
	return 1
}
