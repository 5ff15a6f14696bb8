package main

import (
	"cmp"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls/kernel"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
)

func newKernel() *cobra.Command {
	var (
		images kernelImages
		bench  string
		rounds int
		path   string
		seed   uint64
	)
	cmd := &cobra.Command{
		Use:   "kernel | kernel --image FILE...",
		Short: "Measure what a kernel's own events, grace periods and uprobes cost: the one that runs, or those you name",
		Long: `kernel measures the running kernel itself: switching its events, closing perf events, one grace
period, firing, uprobes. It needs root, and makes the whole machine slower while it runs.

What it changes it puts back, also after Ctrl-C. If it is killed, the next command of tpbench puts it back. It
does not begin while somebody else traces this kernel.

Beside each time it counts who waited for which grace period, and how often all CPUs were made to see new
code, in a pass that is not timed. Counting needs a kernel with kprobes.

With --image or --deb it boots kernels under QEMU, measures the same in each, and compares each with the one before
it, in the order given. One boot is one sample of every benchmark. The first kernel is booted twice as often, as its
own control, and boots are in random order. --bench may also name the other benchmarks of "tpbench list".
In virtual time, the default, a guest's clock counts instructions, so a loaded host changes nothing: it says
how much work there is and how many waits, not how long they take on a machine. A guest that panics or
hangs is booted again, and FILE says so. This needs no root.

If FILE was left by an interrupted run with the same flags, kernel measures what is missing.`,
		Example: `  tpbench kernel
  tpbench kernel --bench 'Toggle|GracePeriod' --rounds 20 -o kernel.txt
  tpbench kernel --image old/vmlinuz --image new/vmlinuz -o kernels.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				path = "tpbench-kernel-" + time.Now().UTC().Format("20060102-150405") + ".txt"
			}
			given := cmd.Flags()
			if len(images.files) > 0 {
				if given.Changed("rounds") {
					return usagef("--rounds is for the running kernel; expected --boots")
				}
				return images.run(cmd, bench, seed, path)
			}
			for _, flag := range append(slices.Clone(imageFlags), outputFlags...) {
				if given.Changed(flag) {
					return usagef("--%s is for kernels that are booted; expected --image or --deb, too", flag)
				}
			}
			return kernelHost(cmd, bench, rounds, seed, path)
		},
	}
	f := cmd.Flags()
	f.StringVar(&bench, "bench", "", "of the kernel's benchmarks, those whose name (such as KernelToggle) matches this regular expression")
	f.IntVar(&rounds, "rounds", 0, fmt.Sprintf("samples of each (default %d, or %d where one takes up to a minute)", defaultRounds, costlyRounds))
	f.StringVarP(&path, "output", "o", "", "file to write the results to (default tpbench-kernel-TIME.txt)")
	f.Uint64Var(&seed, "seed", 0, "determines the order of the samples (default random; the file names it)")
	images.flags(f)
	return cmd
}

// costlyRounds of what takes a minute each: too few for an interval of the median, and enough for a range.
const costlyRounds = 3

// kernelHost measures the kernel that this process runs on.
func kernelHost(cmd *cobra.Command, bench string, rounds int, seed uint64, path string) error {
	if cmd.Flags().Changed("rounds") && rounds < 1 || rounds > mostRounds {
		return usagef("--rounds %d: expected 1 to %d", rounds, mostRounds)
	}
	chosen, wanted, err := chooseKernel(bench)
	if err != nil {
		return err
	}
	if err := kernel.Check(); err != nil {
		return err
	}
	if err := kernel.Busy(); err != nil {
		return err
	}
	s, err := newSession(cmd, seed)
	if err != nil {
		return err
	}
	if chosen, err = s.runnable(chosen, rounds); err != nil {
		return err
	}
	if err := s.choose(chosen, wanted); err != nil {
		return err
	}
	if err := checkCounts(); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "times without counts: %v\n", err)
	}
	measured := s.run(path)
	sweep(cmd, kernel.Sweep) // after a worker that died
	return showMeasured(measured, cmd.OutOrStdout(), path, "", chosen)
}

// chooseKernel returns the cases of the running kernel's benchmarks whose names match a pattern.
func chooseKernel(bench string) ([]benches.Chosen, func(string) bool, error) {
	pattern, err := regexp.Compile(bench)
	if err != nil {
		return nil, nil, usagef("--bench %q: %v", bench, err)
	}
	return chooseNames(bench, benches.Params{}, func(b *benches.Benchmark, name string) bool {
		return slices.Contains(b.Roles, string(results.RunningKernel)) && pattern.MatchString(name)
	})
}

// runnable leaves out the cases that cannot run here, and says why. The others get their rounds: so many, or as many as
// usual if rounds is 0. The error is that none can run.
func (s *session) runnable(chosen []benches.Chosen, rounds int) ([]benches.Chosen, error) {
	var can []benches.Chosen
	var cannot obstacles
	var names []string
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			if err := c.Runnable(s.allowed); err != nil {
				cannot.add(c.Names[0], err)
				names = append(names, c.Names[0])
				continue
			}
			usual := defaultRounds
			if c.Costly {
				usual = costlyRounds
			}
			can = append(can, benches.Chosen{Cases: []benches.Case{c}, Rounds: cmp.Or(rounds, usual)})
		}
	}
	if can == nil {
		return nil, cannot[0].err
	}
	for _, r := range cannot {
		fmt.Fprintf(s.cmd.ErrOrStderr(), "without %v: %v\n", r, r.err)
	}
	if names != nil {
		s.facts = append(s.facts, host.Fact{Key: compare.LeftOutFact, Value: strings.Join(names, " ")})
	}
	return can, nil
}

// checkCounts reports why this kernel cannot count what it waits for, or nil.
func checkCounts() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c, err := kernel.NewCounter()
	if err != nil {
		return err
	}
	return c.Close()
}
