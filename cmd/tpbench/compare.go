package main

import (
	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/results"
)

func newCompare() *cobra.Command {
	return &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two result files: medians, intervals, U test, a verdict for each benchmark",
		Example: `  tpbench run --bench Dispatch -o old.txt
  tpbench run --bench Dispatch -o new.txt
  tpbench compare old.txt new.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("compare takes two result files, OLD and NEW, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			old, err := results.Open(args[0])
			if err != nil {
				return err
			}
			new, err := results.Open(args[1])
			if err != nil {
				return err
			}
			return results.Compare(old, new).WriteText(cmd.OutOrStdout())
		},
	}
}
