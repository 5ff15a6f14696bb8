// This file measures the benchmarks of the list in guests, in virtual time: run --guest and ab --guest.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/builds"
	"github.com/tpbench/tpbench/harness/guest"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results"
)

// A place is the flags that say where to measure: in a guest, or here.
type place struct {
	image string // "": here
	guest guestFlags
}

func (p *place) flags(f *pflag.FlagSet) {
	f.StringVar(&p.image, "guest", "", "kernel image (such as /boot/vmlinuz) to boot under QEMU, and to measure in")
	p.guest.flags(f, "guest-cpus")
}

// guestHelp explains the flags to a user of a command.
const guestHelp = `With --guest IMAGE the samples are taken in a guest that boots this kernel under QEMU. Its clock
counts instructions, so the result says how much work there is and how many waits, and is the same on a busy machine. A round
is a boot, and takes 15 s and more. What such a clock cannot measure is left out: caches, branches, races.`

// check returns an error if the flags do not fit together.
func (p *place) check(given *pflag.FlagSet) error {
	if given.Changed("guest") && p.image == "" {
		return usagef("--guest: expected a kernel image, such as /boot/vmlinuz")
	}
	for _, flag := range []string{"time", "guest-cpus", "append", "timeout"} {
		if given.Changed(flag) && p.image == "" {
			return usagef("--%s is for guests; expected --guest, too", flag)
		}
	}
	return p.guest.check()
}

// A guestRun is what a session that measures in guests knows of them.
type guestRun struct {
	options  guest.Options
	programs map[string]string // names of options.Programs, by arm
	atOnce   int               // see guestFlags.atOnce
}

// session prepares a session: in a guest, if there is one, and else on this machine.
func (p *place) session(cmd *cobra.Command, seed uint64) (*session, error) {
	if p.image == "" {
		return newSession(cmd, seed)
	}
	s, facts, err := p.guest.session(cmd, seed)
	if err != nil {
		return nil, err
	}
	image, err := guest.ReadImage(p.image)
	if err != nil {
		return nil, err
	}
	s.guest = &guestRun{options: p.guest.options(p.image), atOnce: p.guest.atOnce()}
	for cpu := range p.guest.cpus {
		s.allowed = append(s.allowed, cpu)
	}
	s.facts = append(append(s.facts, facts...),
		host.Fact{Key: results.GuestFact, Value: image.Release},
		host.Fact{Key: "image", Value: image.SHA256})
	return s, nil
}

// narrow leaves out of chosen cases those that a guest cannot measure, and says so, if there is a guest.
func (p *place) narrow(cmd *cobra.Command, chosen []benches.Chosen) ([]benches.Chosen, error) {
	if p.image == "" {
		return chosen, nil
	}
	can, left := benches.InGuest(chosen)
	if left == nil {
		return can, nil
	}
	why := fmt.Sprintf("%s: a guest's CPUs have no caches and no branch prediction, and run in turns; measure on the host, without --guest", join(left))
	if len(can) == 0 {
		return nil, usageError{errors.New(why)}
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "left out: "+why)
	return can, nil
}

// bootRepeats is how many workers take one sample of a boot. A worker takes a tenth of the time of a boot, and the
// medians of two boots differ by half as much as two workers' samples.
const bootRepeats = 5

// boot returns the boot of a round: the cases, each in all its arms, so many times. As in package harness, the seed orders
// the blocks, and the cases in each, each time anew.
func (s *session) boot(cases []harness.Planned, round, repeats int) boot {
	b := boot{Guest: s.guest.options, Round: round}
	blocks := map[string][]bootSample{}
	var names []string
	for _, c := range cases {
		if blocks[c.Block] == nil {
			names = append(names, c.Block)
		}
		program := cmp.Or(s.guest.programs[c.Arm], guestProgram)
		blocks[c.Block] = append(blocks[c.Block], bootSample{program, c.Wanted, round % max(1, c.Layouts), c.Arm})
	}
	order := rand.New(rand.NewPCG(s.plan.Seed, uint64(round)))
	for range repeats {
		order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			in := blocks[name]
			order.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
			b.Samples = append(b.Samples, in...)
		}
	}
	return b
}

// firstBoot measures each case of the plan once, in one boot. Benchmarks that an arm cannot run in the guest are left
// out in all arms, and named.
func (s *session) firstBoot() (trialTime, error) {
	stderr, began := s.cmd.ErrOrStderr(), time.Now()
	bar := newProgress(stderr)
	bar.note("one boot to try each benchmark in the guest")
	var lacks []lack
	b := s.boot(s.plan.Cases, 0, 1)
	err := b.try(s.cmd.Context(), func(died error) { fmt.Fprintf(stderr, "%s; it is booted again\n", results.Visible(died.Error())) }, func(sample bootSample, _ []byte, err error) {
		name := s.plan.Cases[slices.IndexFunc(s.plan.Cases, func(c harness.Planned) bool { return slices.Contains(c.Wanted, sample.Names[0]) })].Names[0]
		if failed, ok := errors.AsType[*workerError](err); ok && failed.declines() {
			lacks = append(lacks, lack{sample.Arm, name, err})
		} else if err != nil {
			fmt.Fprintf(stderr, "the trial of %s%s failed: %v\n", name, inArm(sample.Arm), err)
		}
	})
	bar.end()
	if err != nil {
		return trialTime{}, interrupted(err, "nothing was measured yet")
	}
	return trialTime{round: time.Since(began) / time.Duration(s.guest.atOnce)}, s.leave(lacks)
}

// fold makes one case of all cases of the plan: a boot measures all, and is a round.
func (s *session) fold() {
	cases := s.plan.Cases
	one := harness.Planned{Case: harness.Case{CPUs: s.guest.options.CPUs}, Block: "boot", Rounds: cases[0].Rounds}
	for _, c := range cases {
		one.Names = append(one.Names, c.Written(c.Wanted)...)
	}
	one.Wanted = one.Names
	one.Slow = mostBoots * s.guest.options.Limit * time.Duration(1+bootRepeats*len(cases)) // the guest's own limit comes first
	s.plan.Cases, s.plan.AtOnce = []harness.Planned{one}, s.guest.atOnce
	s.worker = func(ctx context.Context, t harness.Task) *exec.Cmd {
		return s.boot(cases, t.Round, bootRepeats).only(t.Names).command(ctx)
	}
}

// buildForGuest builds one program of each revision: a clock that counts instructions knows no layout of code. The
// arms A and A2 are one file.
func (s *session) buildForGuest(a, b *builds.Revision, path string) error {
	dir, err := s.programsDir(path)
	if err != nil {
		return err
	}
	bar := newProgress(s.cmd.ErrOrStderr())
	defer bar.end()
	var paths []string
	for _, r := range []*builds.Revision{a, b} {
		const inOrder = 0
		built, err := r.Build(s.cmd.Context(), program, dir, []uint64{inOrder}, bar.step)
		if err != nil {
			return interrupted(err, "nothing was measured")
		}
		paths = append(paths, built...)
	}
	code, err := hashOf(paths...)
	if err != nil {
		return err
	}
	if err := s.agree(path, code); err != nil {
		return err
	}
	s.guest.programs = map[string]string{benches.Base: "base", benches.Again: "base", benches.Other: "other"}
	s.guest.options.Programs = append(s.guest.options.Programs, guest.Program{Name: "base", Path: paths[0]}, guest.Program{Name: "other", Path: paths[1]})
	return nil
}
