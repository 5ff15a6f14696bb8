package main

import (
	"fmt"
	"slices"
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
			var cannot obstacles
			for _, i := range benches.Impls() {
				status := i.Status.String()
				if i.Family == benches.FloorFamily {
					status = ""
				}
				if i.Err != nil {
					status = "cannot run here"
					cannot.add(i.Name, i.Err)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.Family, i.Name, status, i.Doc, i.Origin)
			}
			fmt.Fprintln(w, "\nBENCHMARK\t\tCASES\tQUESTION\t")
			for _, b := range benches.Benchmarks() {
				cases := b.Cases(benches.Params{})
				for _, c := range cases {
					if err := c.Check(); err != nil {
						cannot.add(c.Names[0], err)
					}
				}
				fmt.Fprintf(w, "%s\t\t%d\t%s\t\n", strings.Join(b.Names, ", "), len(cases), b.Doc)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			for _, r := range cannot {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "\n%v: %v\n", r, r.err); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// obstacles say what cannot run here: each reason once, in the order in which they came up.
type obstacles []obstacle

type obstacle struct {
	names []string // what it keeps from running
	err   error
}

func (rs *obstacles) add(name string, err error) {
	same := func(r obstacle) bool { return r.err.Error() == err.Error() }
	if i := slices.IndexFunc(*rs, same); i >= 0 {
		(*rs)[i].names = append((*rs)[i].names, name)
		return
	}
	*rs = append(*rs, obstacle{[]string{name}, err})
}

// String is the first of the names, and how many more there are.
func (r obstacle) String() string {
	if len(r.names) == 1 {
		return r.names[0]
	}
	return fmt.Sprintf("%s and %d more", r.names[0], len(r.names)-1)
}
