// Command tpbench compares strategies for enabling and disabling tracepoints: what a
// site costs, what switching costs, which grace periods are waited for.
//
// Without arguments it makes the evidence: every strategy side by side, with 1,000
// events, in about a minute, as tables, one sentence to quote, a result file and
// charts. `tpbench --help` lists the other commands.
//
// Exit codes: 0 fine; 1 something failed while it ran, or an implementation is not what it
// says it is (torture); 2 bad usage or bad input; 3
// this machine cannot do what was asked; 130 interrupted, what was measured is kept.
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
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/kernel"
	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
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
		Short: "Compare strategies for enabling and disabling tracepoints",
		Long: `tpbench compares strategies for enabling and disabling tracepoints: what a site
costs to pass, what switching it costs, and which grace periods are waited for.

Without a command it makes the evidence, as "tpbench evidence" does.`,
		Example: `  tpbench                                  the evidence, 1,000 events, about a minute
  tpbench list                             what there is, and what cannot run here
  tpbench run --bench Churn -o churn.txt   one benchmark, to a file
  tpbench torture                          is it right? tries to break each of them
  tpbench compare old.txt new.txt          two files, with a verdict for each benchmark
  tpbench doctor                           what on this machine spoils measurements`,
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
	root.AddCommand(evidence, newList(), newRun(), newCompare(), newTorture(), newDoctor(), newWorker(), newTortureWorker())
	return root
}

// sweep removes the tracing instances that killed runs have left in the running kernel. While
// their events are on, every transition is another one. Workers leave that to the command
// that started them.
func sweep(cmd *cobra.Command, swept func() ([]string, error)) {
	if cmd.Hidden {
		return
	}
	removed, err := swept()
	for _, name := range removed {
		fmt.Fprintf(cmd.ErrOrStderr(), "removed the tracing instance %s with its events, which a run that was killed had left\n", name)
	}
	if err != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "tpbench:", sentence(err))
	}
}

// sentence is an error for a terminal. It may name files, and quote what is in them.
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

// ofMachine is the file system, "proc" or "sys", of the path in an error, or "". A file that
// is missing there is not a wrong name on the command line.
func ofMachine(err error) string {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return ""
	}
	top, _, below := strings.Cut(strings.TrimPrefix(path.Path, "/"), "/")
	if below && strings.HasPrefix(path.Path, "/") && (top == "proc" || top == "sys") {
		return top
	}
	return ""
}

// A usageError is bad usage: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// noArgs is an error if there are arguments. An argument of the root command is the name of
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

// exitCode is the contract of the package doc.
func exitCode(err error) int {
	var (
		usage       usageError
		unknown     *impls.UnknownError
		format      *results.FormatError
		missing     *results.MissingError
		file        *harness.FileError
		taken       *plots.FileError
		path        *fs.PathError
		unavailable *host.UnavailableError
	)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return 130
	case errors.Is(err, impls.ErrUnsupported), errors.Is(err, clock.ErrUnavailable), errors.As(err, &unavailable):
		return 3
	case errors.As(err, &path) && slices.Contains([]string{"write", "sync", "close"}, path.Op),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT): // a full disk, not a wrong name
		return 1
	case errors.As(err, &usage), errors.As(err, &unknown), errors.As(err, &format), errors.As(err, &missing),
		errors.As(err, &file), errors.As(err, &taken):
		return 2
	case ofMachine(err) != "":
		return 3
	case errors.As(err, &path):
		return 2
	}
	return 1
}
