package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
)

func newList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List implementations, flavours and benchmarks, and why some cannot run here",
		Example: "  tpbench list",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "FAMILY\tNAME\tSTATUS\tWHAT IT DOES\tORIGIN")
			var cannot []benches.Impl
			for _, i := range benches.Impls() {
				status := i.Status.String()
				if i.Family == benches.FloorFamily {
					status = ""
				}
				if i.Err != nil {
					status = "cannot run here"
					cannot = append(cannot, i)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.Family, i.Name, status, i.Doc, i.Origin)
			}
			fmt.Fprintln(w, "\nBENCHMARK\t\tCASES\tQUESTION\t")
			for _, b := range benches.Benchmarks() {
				fmt.Fprintf(w, "%s\t\t%d\t%s\t\n", strings.Join(b.Names, ", "), len(b.Cases(benches.Params{})), b.Doc)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			for _, i := range cannot {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "\n%s: %v\n", i.Name, i.Err); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
