package main

import (
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/results"
)

func newCompare() *cobra.Command {
	return &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two result files: medians, intervals, a U test and a verdict for each benchmark",
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
			var runs [2]*results.Run
			for i, path := range args {
				run, err := results.Open(path)
				if is[*fs.PathError](err) {
					return usageError{err} // the user gave the name, also one in /proc
				}
				if err != nil {
					return err
				}
				runs[i] = run
			}
			for _, run := range runs {
				if err := warn(cmd.OutOrStdout(), run); err != nil {
					return err
				}
			}
			return results.Compare(runs[0], runs[1]).WriteText(cmd.OutOrStdout())
		},
	}
}

// warn writes the warnings of a run, with the name of its file. A run that was interrupted can be
// compared too, but lacks samples.
func warn(w io.Writer, run *results.Run) error {
	for _, warning := range run.Warnings {
		text := warning.Error()
		if !strings.Contains(text, " in "+run.Path+" ") {
			text = run.Path + ": " + text
		}
		if _, err := fmt.Fprintf(w, "warning: %s\n", text); err != nil {
			return err
		}
	}
	return nil
}
