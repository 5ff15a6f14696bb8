package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/guest"
	"github.com/tpbench/tpbench/harness/host"
)

func newDoctor() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what on this machine makes measurements worse, and name the command that mends it",
		Long: `doctor checks what on this machine makes measurements worse or wrong: its CPUs and their
speed, what else runs on them, the interrupts that arrive at them, its clock and its kernel, and whether QEMU is
there, for guests. It says
what it found, why that matters, and which command mends it. It takes 0.2 s and changes nothing.

A check that failed makes numbers wrong, or whole families of implementations cannot run: exit
code 3. A warning makes numbers worse, or some cases cannot run. With --strict, for CI, a
warning counts as a failure.`,
		Example: `  tpbench doctor
  tpbench doctor --strict   exit code 3 also if a check only warns`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := host.Doctor()
			if !clock.Virtual() { // in a guest no other is booted
				checks = append(checks, emulator())
			}
			if err := printChecks(cmd.OutOrStdout(), checks); err != nil {
				return err
			}
			return judgeChecks(checks, strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "count a warning as a failure")
	return cmd
}

// emulator checks whether kernels can be booted here. What that is good for is said either way.
func emulator() host.Check {
	const good = "for --guest and kernel --image: how much work there is and how many waits, the same on a busy machine; not caches, branches and races"
	c := host.Check{
		Name: "emulator", Why: "without QEMU no kernel can be booted, and what is measured in virtual time cannot be: small changes of work and waits, which the noise of a machine hides",
		Do: "sudo apt install qemu-system-x86  # or your distribution's package with qemu-system-x86_64",
	}
	version, err := guest.Emulator()
	if err != nil {
		c.Status, c.Found = host.Warn, "no QEMU for x86"
		return c
	}
	c.Found, c.Do = "QEMU "+version+", "+good, "nothing to do"
	return c
}

func printChecks(out io.Writer, checks []host.Check) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		fmt.Fprintf(w, "%v\t%s\t%s\n", c.Status, c.Name, c.Found)
		if c.Status != host.OK {
			fmt.Fprintf(w, "\t\t  why: %s\n\t\t  do:  %s\n", c.Why, c.Do)
		}
	}
	return w.Flush()
}

// judgeChecks returns an error, for exit code 3, if a check failed; if strict, also if one warned.
func judgeChecks(checks []host.Check, strict bool) error {
	count := map[host.Status]int{}
	for _, c := range checks {
		count[c.Status]++
	}
	failed, warned := count[host.Fail], count[host.Warn]
	switch {
	case strict && warned > 0:
		return &host.UnavailableError{
			What: fmt.Sprintf("%s failed and %s warned of %d, and --strict counts a warning as a failure", plural(failed, "check"), plural(warned, "check"), len(checks)),
			Do:   "see above what to do",
		}
	case failed > 0:
		return &host.UnavailableError{What: plural(failed, "check") + " failed", Do: "see above what to do"}
	}
	return nil
}
