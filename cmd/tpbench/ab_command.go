// This file runs commands that are not tpbench's, such as go test -bench, as the arms of ab. A worker runs the
// command once, and prints one sample of each benchmark that it has printed.

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/montanaflynn/stats"
	"github.com/spf13/cobra"
	"golang.org/x/perf/benchfmt"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/results"
)

// newCommandWorker returns the hidden command of the worker: tpbench command-worker -- 'go test -bench .'.
func newCommandWorker() *cobra.Command {
	var packages bool
	var names []string
	cmd := &cobra.Command{
		Use: "command-worker -- COMMAND", Short: "Take one sample of each benchmark of a shell command (ab starts it)",
		Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// The coordinator sends SIGQUIT if the command hangs.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGQUIT)
			defer stop()
			out, err := runCommand(ctx, args[0])
			if err != nil {
				return err
			}
			return out.write(cmd.OutOrStdout(), time.Now(), packages, names)
		},
	}
	cmd.Flags().BoolVar(&packages, "packages", false, "make the package a part of each benchmark's name")
	cmd.Flags().StringArrayVar(&names, "name", nil, "a benchmark whose sample is wanted; the command may print others")
	return cmd
}

// commandGrace is how long a command that is interrupted may take to end. The coordinator gives its
// worker longer.
const commandGrace = 5 * time.Second

// runCommand runs a shell command in its own process group and reads the benchmarks that it prints. When
// ctx is done it interrupts the group, kills what does not end, and returns ctx's error. Other
// errors say in one sentence how the command failed.
func runCommand(ctx context.Context, command string) (*commandOutput, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	harness.Isolate(cmd)
	cmd.Cancel = func() error { return signalGroup(cmd.Process, syscall.SIGINT) }
	cmd.WaitDelay = commandGrace
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		if cmd.Process != nil {
			_ = signalGroup(cmd.Process, syscall.SIGKILL) // it fails if all have ended
		}
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("command %q cannot be started: %w", command, err)
	case err != nil:
		last := cmp.Or(lastLine(stderr.String()), lastLine(stdout.String()), "it printed nothing")
		return nil, fmt.Errorf("command %q failed, %w: %s", command, err, last)
	}
	out := readCommand(&stdout)
	if len(out.benchmarks) == 0 {
		return nil, fmt.Errorf("command %q printed no benchmark line (expected the format of go test -bench)", command)
	}
	return out, nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

// A commandOutput is what one run of a command printed.
type commandOutput struct {
	benchmarks []*commandBenchmark // in the order in which they appeared
	packages   int                 // how many values of pkg the benchmarks have
	problems   []string            // lines that begin as a benchmark's and are none
}

// A commandBenchmark has the lines of one name and package.
type commandBenchmark struct {
	name, pkg  string
	iterations int
	repeats    int
	units      []string // in the order in which they appeared
	values     map[string][]float64
}

func readCommand(r io.Reader) *commandOutput {
	out := new(commandOutput)
	type id struct{ name, pkg string }
	have := map[id]*commandBenchmark{}
	seen := map[string]bool{}
	lines := benchfmt.NewReader(r, "standard output")
	for lines.Scan() {
		switch line := lines.Result().(type) {
		case *benchfmt.SyntaxError:
			out.problems = append(out.problems, line.Error())
		case *benchfmt.Result:
			key := id{line.Name.String(), line.GetConfig("pkg")}
			b := have[key]
			if b == nil {
				b = &commandBenchmark{name: key.name, pkg: key.pkg, values: map[string][]float64{}}
				have[key], seen[key.pkg] = b, true
				out.benchmarks = append(out.benchmarks, b)
			}
			b.add(line)
		}
	}
	if err := lines.Err(); err != nil {
		out.problems = append(out.problems, err.Error())
	}
	out.packages = len(seen)
	return out
}

// add adds a line. Its values are written as the command had them: benchfmt turns ns into s.
func (b *commandBenchmark) add(line *benchfmt.Result) {
	b.iterations += line.Iters
	b.repeats++
	for _, v := range line.Values {
		unit, value := v.Unit, v.Value
		if v.OrigUnit != "" {
			unit, value = v.OrigUnit, v.OrigValue
		}
		if b.values[unit] == nil {
			b.units = append(b.units, unit)
		}
		b.values[unit] = append(b.values[unit], value)
	}
}

// fullName returns the name, with the package as its last key where benchmarks of several packages
// may have the same one: Encode/pkg=example.com:m:lib-8. A colon stands for a slash,
// which would begin another key; no path of a package has a colon.
func (b *commandBenchmark) fullName(packages bool) string {
	if !packages || b.pkg == "" {
		return b.name
	}
	base, parts := benchfmt.Name(b.name).Parts()
	procs := ""
	if n := len(parts); n > 0 && parts[n-1][0] == '-' {
		procs = string(parts[n-1])
		parts = parts[:n-1]
	}
	return string(base) + string(bytes.Join(parts, nil)) + "/pkg=" + strings.ReplaceAll(b.pkg, "/", ":") + procs
}

// names returns the benchmarks' names.
func (o *commandOutput) names(packages bool) []string {
	var names []string
	for _, b := range o.benchmarks {
		names = append(names, b.fullName(packages))
	}
	return names
}

// write writes one sample of each benchmark, in the form of harness: the median of each quantity over
// the lines that the command printed. A sample that is not wanted may be in the file already.
func (o *commandOutput) write(w io.Writer, now time.Time, packages bool, wanted []string) error {
	var text strings.Builder
	for _, b := range o.benchmarks {
		name := b.fullName(packages)
		if !slices.Contains(wanted, name) {
			continue
		}
		fmt.Fprintf(&text, "# sample at %s tried %d kept %[2]d shared 0\nBenchmark%s %d",
			now.UTC().Format("2006-01-02T15:04:05.000Z"), b.repeats, name, b.iterations)
		for _, unit := range b.units {
			median, err := stats.Median(b.values[unit])
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, " %s %s", strconv.FormatFloat(median, 'f', -1, 64), unit)
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// A learned is what one run of each of two commands says about their benchmarks.
type learned struct {
	both, onlyA, onlyB []string // names
	packages           bool     // the worker's flag: one command has benchmarks of several packages
	problems           []string // sentences about lines that are no benchmark's, though they begin as one
}

// learnCommands runs both commands once, discards what they measured, and returns the names of their
// benchmarks. Errors are those of runCommand.
func learnCommands(ctx context.Context, commandA, commandB string) (*learned, error) {
	a, err := runCommand(ctx, commandA)
	if err != nil {
		return nil, err
	}
	b := a
	if commandB != commandA {
		if b, err = runCommand(ctx, commandB); err != nil {
			return nil, err
		}
	}
	l := &learned{packages: a.packages > 1 || b.packages > 1}
	namesA, namesB := a.names(l.packages), b.names(l.packages)
	for _, n := range namesA {
		if slices.Contains(namesB, n) {
			l.both = append(l.both, n)
		} else {
			l.onlyA = append(l.onlyA, n)
		}
	}
	l.onlyB = slices.DeleteFunc(slices.Clone(namesB), func(n string) bool { return slices.Contains(namesA, n) })
	for _, p := range a.problems {
		l.problems = append(l.problems, fmt.Sprintf("command %q: %s", commandA, p))
	}
	if commandB != commandA {
		for _, p := range b.problems {
			l.problems = append(l.problems, fmt.Sprintf("command %q: %s", commandB, p))
		}
	}
	return l, nil
}

// show says what is wrong with the commands' output, and what only one of them has.
func (l *learned) show(w io.Writer) {
	for _, p := range l.problems {
		fmt.Fprintln(w, results.Visible(p))
	}
	for _, only := range []struct {
		arm   string
		names []string
	}{{benches.Base, l.onlyA}, {benches.Other, l.onlyB}} {
		for _, n := range only.names {
			fmt.Fprintf(w, "%s is left out: only arm %s has it\n", results.Visible(n), only.arm)
		}
	}
}
