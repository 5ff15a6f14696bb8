package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness/host"
)

func newDoctor() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what on this machine makes measurements worse, and name the command that mends it",
		Long: `doctor checks what on this machine makes measurements worse or wrong: its CPUs and their
speed, what else runs on them, the interrupts that arrive at them, its clock and its kernel. It says
what it found, why that matters, and which command mends it. It takes 0.2 s and changes nothing.

A check that failed makes numbers wrong, or whole families of implementations cannot run: exit
code 3. A warning makes numbers worse, or some cases cannot run. With --strict, for CI, a
warning counts as a failure.`,
		Example: `  tpbench doctor
  tpbench doctor --strict   exit code 3 also if a check only warns`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := host.Doctor()
			if err := printChecks(cmd.OutOrStdout(), checks); err != nil {
				return err
			}
			return judgeChecks(checks, strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "count a warning as a failure")
	return cmd
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
