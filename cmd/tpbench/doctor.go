package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness/host"
)

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:     "doctor",
		Short:   "Check what on this machine makes measurements worse, and name the command that mends it",
		Example: "  tpbench doctor",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			failed := 0
			for _, c := range host.Doctor() {
				fmt.Fprintf(w, "%v\t%s\t%s\n", c.Status, c.Name, c.Found)
				if c.Status != host.OK {
					fmt.Fprintf(w, "\t\t  why: %s\n\t\t  do:  %s\n", c.Why, c.Do)
				}
				if c.Status == host.Fail {
					failed++
				}
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if failed > 0 {
				return &host.UnavailableError{What: fmt.Sprintf("%d checks failed", failed), Do: "see above what to do"}
			}
			return nil
		},
	}
}
