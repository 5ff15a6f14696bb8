// This file takes samples in guests. A worker on the host boots one guest, and has it run the usual workers one after the
// other, several of each benchmark. What they print is one sample, the median: samples of one boot resemble each other.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/guest"
	"github.com/tpbench/tpbench/results"
)

// A boot is one guest, and the samples that are taken in it. A guest-worker reads it as JSON.
type boot struct {
	Guest   guest.Options
	Round   int
	Samples []bootSample // in the order in which they are taken; those of one benchmark and arm are one sample
}

// A bootSample is one worker in a guest.
type bootSample struct {
	Program string   // a name of Guest.Programs
	Names   []string // of one case, without the arm
	Layout  int      // harness.Task.Layout
	Arm     string   // is added to the names, if it is not ""
}

// newGuestWorker returns the hidden command of the worker that boots: tpbench guest-worker, with a boot on standard input.
func newGuestWorker() *cobra.Command {
	return startedCommand("guest-worker", "Take one sample of each benchmark in a guest (kernel, run and ab start it)", cobra.NoArgs,
		func(cmd *cobra.Command, _ []string) error {
			var b boot
			if err := json.NewDecoder(cmd.InOrStdin()).Decode(&b); err != nil {
				return usagef("guest-worker: standard input is no boot: %v", err)
			}
			return b.work(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		})
}

// diedComment begins a comment line about a boot that died and was tried again.
const diedComment = "# boot died: "

// mostBoots is how often a boot is tried whose guest dies.
const mostBoots = 3

// work writes the samples of the boot, and above them a comment for each guest that died before. A benchmark of which a
// worker failed in the guest has no sample: one line on stderr says why.
func (b *boot) work(ctx context.Context, stdout, stderr io.Writer) error {
	var lines bytes.Buffer
	var whole, failed []string // names with the arm
	var why []string
	err := b.try(ctx, func(died error) { fmt.Fprintln(stdout, diedComment+results.Visible(died.Error())) }, func(s bootSample, got []byte, err error) {
		if err != nil {
			failed = append(failed, s.written()...)
			why = append(why, fmt.Sprintf("%s%s: %v", s.Names[0], inArm(s.Arm), err))
		}
		whole = append(whole, s.written()...)
		lines.Write(got)
	})
	if err != nil {
		return err
	}
	if why != nil {
		fmt.Fprintln(stderr, strings.Join(why, "; "))
	}
	whole = slices.DeleteFunc(whole, func(name string) bool { return slices.Contains(failed, name) })
	out := readCommand(bytes.NewReader(lines.Bytes()))
	if slices.ContainsFunc(out.benchmarks, func(b *commandBenchmark) bool { return b.repeats > 1 }) {
		return out.write(stdout, time.Now(), false, whole)
	}
	_, err = stdout.Write(lines.Bytes())
	return err
}

// try boots until a guest lives long enough to take all samples, at most mostBoots times. It calls died with one line about each
// guest that died before, and each as take does, for the samples of the last. Errors are those of take.
func (b *boot) try(ctx context.Context, died func(error), each func(s bootSample, lines []byte, err error)) error {
	for n := 1; ; n++ {
		var taken []func()
		err := b.take(ctx, func(s bootSample, lines []byte, err error) {
			taken = append(taken, func() { each(s, lines, err) })
		})
		switch {
		case is[*guest.DeadError](err) && n < mostBoots:
			died(err)
			continue
		case is[*guest.DeadError](err):
			return fmt.Errorf("%d boots in a row died; the last one: %w", n, err)
		case err != nil:
			return err
		}
		for _, call := range taken {
			call()
		}
		return nil
	}
}

// take boots the guest, and has it take the samples. It calls each with the lines of each sample, or why there are
// none. A worker that fails is tried once more: threads of the guest may have been in its way. Errors are ctx's, and those
// of bootGuest.
func (b *boot) take(ctx context.Context, each func(s bootSample, lines []byte, err error)) error {
	g, err := bootGuest(ctx, b.Guest)
	if err != nil {
		return err
	}
	defer g.Close()
	for _, s := range b.Samples {
		var lines []byte
		var failed error
		for range 2 {
			exit, err := g.Run(ctx, guest.Command{Program: s.Program, Args: workerArgs(harness.Task{Names: s.Names, Round: b.Round, Layout: s.Layout})})
			if err != nil {
				return err
			}
			if lines, failed = s.lines(exit); failed == nil {
				break
			}
		}
		each(s, lines, failed)
	}
	return nil
}

// sharedRE matches what a worker of an older revision says of the canary, which means nothing in a guest.
var sharedRE = regexp.MustCompile(`(?m)^(# sample at .* shared )[0-9]+( disturbed)?$`)

// lines returns the lines of a worker that ended so. Its error is a workerError, or that lines are missing.
func (s bootSample) lines(exit guest.Exit) ([]byte, error) {
	if exit.Code != 0 {
		first, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		return nil, &workerError{exit.Code, results.Visible(first)}
	}
	for _, name := range s.Names {
		if !bytes.Contains(append([]byte("\n"), exit.Stdout...), []byte("\nBenchmark"+name+" ")) {
			return nil, fmt.Errorf("the worker gave no line for Benchmark%s", name)
		}
	}
	return harness.Rename(sharedRE.ReplaceAll(exit.Stdout, []byte("${1}0")), s.Arm), nil
}

// A workerError is a worker that failed in a guest.
type workerError struct {
	code  int
	first string // line of what it printed
}

// declines reports whether the worker ended with a sentence, as in declines of an error.
func (e *workerError) declines() bool {
	return (e.code == 2 || e.code == 3) && strings.HasPrefix(e.first, "tpbench: ")
}

func (e *workerError) Error() string {
	return fmt.Sprintf("exit status %d: %s", e.code, strings.TrimPrefix(e.first, "tpbench: "))
}

// samplesOf returns one sample of each case that has some of the names, in a round. Names of one case stand together.
func samplesOf(names []string, round int) (samples []bootSample, err error) {
	for len(names) > 0 {
		c, err := benches.Find(names[0])
		if err != nil {
			return nil, err
		}
		n := 1
		for n < len(names) && slices.Contains(c.Names, names[n]) {
			n++
		}
		samples = append(samples, bootSample{Program: guestProgram, Names: names[:n], Layout: round % max(1, c.Layouts)})
		names = names[n:]
	}
	return samples, nil
}

// written returns the names as the file has them.
func (s bootSample) written() []string { return (&harness.Planned{Arm: s.Arm}).Written(s.Names) }

// only narrows the boot to the samples that have these names, with the arm.
func (b boot) only(names []string) boot {
	b.Samples = slices.Clone(b.Samples)
	for i := range b.Samples {
		s := &b.Samples[i]
		s.Names = slices.DeleteFunc(slices.Clone(s.Names), func(name string) bool {
			return !slices.Contains(names, bootSample{Arm: s.Arm, Names: []string{name}}.written()[0])
		})
	}
	b.Samples = slices.DeleteFunc(b.Samples, func(s bootSample) bool { return len(s.Names) == 0 })
	return b
}

// command returns the command of the boot's worker.
func (b boot) command(ctx context.Context) *exec.Cmd {
	text, err := json.Marshal(b)
	if err != nil {
		panic("tpbench: " + err.Error()) // a boot is strings and numbers
	}
	cmd := itself(exec.CommandContext(ctx, self, "guest-worker"))
	cmd.Stdin = bytes.NewReader(text)
	return cmd
}
