package main

import (
	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
)

// runAgainst measures chosen cases in blocks with those of an implementation, the base, which is in each
// block twice, and compares the others with it.
func runAgainst(cmd *cobra.Command, base string, chosen []benches.Chosen, wanted func(string) bool, seed uint64, sc schedule, path string, out output) error {
	chosen, err := benches.Against(base, chosen)
	if err != nil {
		return err
	}
	s, err := newSession(cmd, seed)
	if err != nil {
		return err
	}
	s.by, s.base = "impl", base
	if err := s.chooseArms(chosen, wanted); err != nil {
		return err
	}
	lines := benches.AddNull(s.plan, base)
	if err := s.arrange(lines, sc, path); err != nil {
		return err
	}
	return s.report(s.run(path), path, out)
}
