package main

import (
	"bytes"
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
// harness.Create checks the same and more when all is known. A file that has no sample yet is left to it.
func (s *session) resume(path string, sc schedule, facts ...host.Fact) error {
	if err := harness.CheckRegular(path); err != nil {
		return err
	}
	given := s.cmd.Flags().Changed("seed")
	if text, err := os.ReadFile(seedOf(path)); err == nil && !given {
		if seed, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			s.seed = seed
		}
	}
	set, err := compare.Load(path)
	if err != nil {
		s.facts = append(s.facts, facts...)
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 && !bytes.HasPrefix(text, []byte("tpbench: ")) {
			return otherRun(path, "this is no result file of tpbench")
		}
		return nil
	}
	if set.Complete {
		return otherRun(path, "this file holds a whole run already")
	}
	s.earlier = set
	for _, f := range facts {
		if err := s.agree(path, f); err != nil {
			return err
		}
	}
	if seed := set.Fact("seed"); given && seed != strconv.FormatUint(s.seed, 10) {
		return otherRun(path, fmt.Sprintf("another run began this file (seed was %s, now it is %d)", seed, s.seed))
	}
	if rounds := set.Fact(roundsFact); sc.rounds > 0 && rounds != "" && rounds != strconv.Itoa(sc.rounds) {
		return otherRun(path, fmt.Sprintf("another run began this file (--rounds was %s, now it is %d)", rounds, sc.rounds))
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
	return nil
}

// agree adds a fact of this run. Its error says that the file has another value of it.
func (s *session) agree(path string, f host.Fact) error {
	if s.earlier != nil {
		if was := s.earlier.Fact(f.Key); was != f.Value {
			return otherRun(path, fmt.Sprintf("another run began this file (%s was %q, now it is %q)", f.Key, was, f.Value))
		}
	}
	s.facts = append(s.facts, f)
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
