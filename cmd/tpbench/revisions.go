package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/builds"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results/compare"
)

// program is what is built of a revision.
const program = "./cmd/tpbench"

// Numbers of builds of an arm.
const (
	// fewestBuilds sample the layout at least roughly. They are enough for counts; for a time to be called different
	// there must be one more.
	fewestBuilds = 5

	// usualBuilds are enough for the 40 lines of the gate family, and have no factor in common with
	// the number of alignments of a timed loop, so that a build meets another one each time.
	usualBuilds = 13

	mostBuilds = 1000
)

// checkBuilds checks the flag --builds, which is n.
func checkBuilds(n int, given bool, sc schedule) error {
	switch {
	case n < fewestBuilds || n > mostBuilds:
		return usagef("--builds %d: expected %d to %d", n, fewestBuilds, mostBuilds)
	case given && sc.rounds > 0 && sc.rounds < n:
		return usagef("--rounds %d with %d builds: each round has builds of its own; expected --rounds %d or more, or --builds %d", sc.rounds, n, n, max(sc.rounds, fewestBuilds))
	}
	return nil
}

// revisions compares two revisions.
func (run *ab) revisions(cmd *cobra.Command, nameA, nameB string) error {
	chosen, wanted, err := run.cases.orGate(cmd)
	if err != nil {
		return err
	}
	if chosen, err = run.in.narrow(cmd, chosen); err != nil {
		return err
	}
	ctx := cmd.Context()
	a, err := builds.Resolve(ctx, ".", nameA)
	if err != nil {
		return err
	}
	b, err := builds.Resolve(ctx, ".", nameB)
	if err != nil {
		return err
	}
	s, err := run.in.session(cmd, run.seed)
	if err != nil {
		return err
	}
	if err := s.resume(run.path, run.schedule, armFacts(a, b)...); err != nil {
		return err
	}
	if s.earlier == nil {
		bar := newProgress(cmd.ErrOrStderr())
		same, why, err := builds.SameCode(ctx, a, b, program, bar.step)
		bar.end()
		if err != nil {
			return interrupted(err, "nothing was measured")
		}
		if same {
			r := compare.Same(a.String(), b.String())
			r.Command = commandLine()
			return run.out.write(cmd, r)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "the code differs: %s\n", why)
	}
	if err := s.chooseArms(chosen, wanted); err != nil {
		return err
	}
	benches.Arms(s.plan)
	s.margin = run.out.share()
	return s.report(s.measureBuilds(a, b, run.builds, run.schedule, run.path), run.path, run.out)
}

// measureBuilds measures the plan, whose cases have arms, with n builds of each arm: A and A2 of revision a, and
// B of b. If the flag --builds is not given, lines that need more get more, and there is no more than one for each
// round. The programs stay if the run is interrupted or loses samples.
func (s *session) measureBuilds(a, b *builds.Revision, n int, sc schedule, path string) error {
	build := func() error { return s.build(a, b, n, path) }
	if s.guest != nil {
		build = func() error { return s.buildForGuest(a, b, path) }
	} else if !s.cmd.Flags().Changed("builds") {
		n = max(n, sc.usual(benches.Lines(s.plan)))
		if sc.rounds > 0 {
			n = min(n, sc.rounds)
		}
	}
	if err := build(); err != nil {
		return err
	}
	if err := s.arrange(sc); err != nil {
		if !errors.Is(err, context.Canceled) {
			os.RemoveAll(programsOf(path)) // the error says more than one of removing
		}
		return err
	}
	if err := s.run(path); err != nil {
		return err // the same command goes on with them
	}
	return os.RemoveAll(programsOf(path))
}

// build builds n programs of each arm, and makes them the workers.
func (s *session) build(a, b *builds.Revision, n int, path string) (err error) {
	count := host.Fact{Key: "builds", Value: strconv.Itoa(n)}
	if err := s.agree(path, count); err != nil {
		return err
	}
	dir, err := s.programsDir(path)
	if err != nil {
		return err
	}
	programs, seeds := map[string][]string{}, s.layouts(3*n)
	bar := newProgress(s.cmd.ErrOrStderr())
	for i, arm := range []struct {
		name     string
		revision *builds.Revision
	}{{benches.Base, a}, {benches.Again, a}, {benches.Other, b}} {
		programs[arm.name], err = arm.revision.Build(s.cmd.Context(), program, dir, seeds[i*n:(i+1)*n], bar.step)
		if err != nil {
			bar.end()
			return interrupted(err, "the programs built so far are in "+dir+", and the same command with -o "+path+" builds the others")
		}
	}
	bar.end()
	// The working tree may have other code than in the session before, under the same name.
	code, err := hashOf(programs[benches.Base][0], programs[benches.Other][0])
	if err != nil {
		return err
	}
	if err := s.agree(path, code); err != nil {
		return err
	}
	s.plan.Builds = n
	s.worker, err = workersOf(s.ticks, func(t harness.Task) string { return programs[t.Arm][t.Build] })
	return err
}

// programsDir makes the directory of the programs, with the seed of the run.
func (s *session) programsDir(path string) (string, error) {
	dir := programsOf(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	// The working tree as it is does not include these programs.
	return dir, cmp.Or(os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o666), os.WriteFile(seedOf(path), fmt.Appendln(nil, s.seed), 0o666))
}

// armFacts say what two revisions are called.
func armFacts(a, b *builds.Revision) []host.Fact {
	return []host.Fact{{Key: compare.FactA, Value: a.String()}, {Key: compare.FactB, Value: b.String()}}
}

// hashOf is a fact: a hash of programs.
func hashOf(paths ...string) (host.Fact, error) {
	h := sha256.New()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return host.Fact{}, err
		}
		h.Write(text)
	}
	return host.Fact{Key: "programs", Value: hex.EncodeToString(h.Sum(nil)[:8])}, nil
}
