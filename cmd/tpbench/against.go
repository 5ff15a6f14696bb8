package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/impls"
)

// runAgainst measures chosen cases in blocks with those of an implementation, the base, which is in each
// block twice, and compares the others with it.
func runAgainst(cmd *cobra.Command, in place, base string, chosen []benches.Chosen, wanted func(string) bool, seed uint64, sc schedule, path string, out output) error {
	chosen, err := in.narrow(cmd, chosen)
	if err != nil {
		return err
	}
	chosen = benches.Against(base, chosen)
	if chosen == nil {
		return usagef("--against %s: none of the chosen benchmarks has %[1]s beside another implementation; `tpbench list` shows which has which", base)
	}
	s, err := in.session(cmd, seed)
	if err != nil {
		return err
	}
	if err := s.resume(path, sc); err != nil {
		return err
	}
	s.by, s.base, s.margin = "impl", base, out.share()
	if err := s.chooseArms(chosen, wanted); err != nil {
		return err
	}
	benches.AddNull(s.plan, base)
	if err := s.arrange(sc); err != nil {
		return err
	}
	return s.report(s.run(path), path, out)
}

// against adds the base of --against to the implementations that are measured.
func (c *selection) against(base string) error {
	if err := known("implementation", false, []string{base}); err != nil {
		if known("", true, []string{base}) == nil {
			return usagef("--against %s: this is a flavour, not an implementation; `tpbench compare FILE --by gp --base %[1]s` compares flavours", base)
		}
		return err
	}
	if c.Impls == nil {
		busted := func(i benches.Impl) bool { return i.Name == base && i.Status == impls.Busted }
		if slices.ContainsFunc(benches.Impls(), busted) {
			return usagef("--against %s: it is busted, and is measured only beside what is named; expected --impl, too", base)
		}
		return nil
	}
	if !slices.ContainsFunc(c.Impls, func(name string) bool { return name != base }) {
		return usagef("--against %s --impl %[1]s: there is nothing to compare %[1]s with; name others with --impl", base)
	}
	if !slices.Contains(c.Impls, base) {
		c.Impls = append(c.Impls, base)
	}
	return nil
}
