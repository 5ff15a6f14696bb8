package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results/compare"
)

// resume looks for what an earlier session of this comparison has left, before anything is built
// or tried: samples in the file at path, from which this session takes the seed, the rounds and what was
// left out; or else programs beside it, from which it takes the seed. What the file must agree in
// are these facts. Its error is a *harness.FileError if the file is of another run, or complete.
//
// harness.Create checks the same and more when all is known. What has no sample yet, or is
// no result file, is left to it.
func (s *session) resume(path string, sc schedule, facts ...host.Fact) error {
	s.facts = append(s.facts, facts...)
	given := s.cmd.Flags().Changed("seed")
	if text, err := os.ReadFile(seedOf(path)); err == nil && !given {
		if seed, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			s.seed = seed
		}
	}
	set, err := compare.Load(path)
	if err != nil {
		return nil
	}
	if set.Complete {
		return otherRun(path, "this file holds a whole run already")
	}
	if given {
		facts = append(facts, host.Fact{Key: "seed", Value: strconv.FormatUint(s.seed, 10)})
	}
	if sc.rounds > 0 {
		facts = append(facts, host.Fact{Key: roundsFact, Value: strconv.Itoa(sc.rounds)})
	}
	for _, f := range facts {
		if err := agree(path, set, f); err != nil {
			return err
		}
	}
	if _, err := strconv.Atoi(set.Fact(roundsFact)); err != nil {
		return otherRun(path, "another run began this file, which compares nothing")
	}
	if (set.Fact(compare.LooksFact) != "") != (sc.budget > 0) {
		return otherRun(path, "another run began this file: one of the two has --budget")
	}
	if seed, err := strconv.ParseUint(set.Fact("seed"), 10, 64); err == nil {
		s.seed = seed
	}
	s.earlier = set
	return nil
}

// agree returns an error if a file has another value of a fact.
func agree(path string, set *compare.Set, f host.Fact) error {
	if was := set.Fact(f.Key); was != f.Value {
		return otherRun(path, fmt.Sprintf("another run began this file (%s was %q, now it is %q)", f.Key, was, f.Value))
	}
	return nil
}

func otherRun(path, why string) error {
	return &harness.FileError{Path: path, Msg: why + "; name another with -o, or remove it"}
}

// programsOf is the directory of the programs that a run measures, until the run is complete.
func programsOf(path string) string { return path + ".programs" }

// seedOf is the file of the seed of a run that has no samples yet.
func seedOf(path string) string { return filepath.Join(programsOf(path), "seed") }

// layouts returns the seeds of n layouts, which the run's seed determines.
func (s *session) layouts(n int) []uint64 {
	r := rand.New(rand.NewPCG(s.seed, uint64(n)))
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = 1 + r.Uint64N(1<<62)
	}
	return seeds
}
