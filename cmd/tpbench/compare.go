package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
)

func newCompare() *cobra.Command {
	var (
		by, base string
		charts   string
		beside   bool
		out      output
	)
	cmd := &cobra.Command{
		Use:   "compare OLD NEW | compare FILE [--by KEY --base VALUE]",
		Short: "Compare two result files, or the arms of one, with a verdict for each benchmark",
		Long: `compare says for each benchmark whether an arm is slower, faster or equal, and how surely.

Within one file, arms are the values of a key in the benchmarks' names: --by impl --base naive-sync
compares all other implementations with naive-sync. Without --by, compare takes the arms of
"tpbench ab"; of a file of "tpbench kernel" with several images, it compares each kernel with the
one before it. Samples of one block are compared as pairs, boots of kernels as independent ones.

Of two files, OLD is the base. Two sessions cannot tell a slower program from a slower machine, so what
all benchmarks have in common is named, and only what departs from it counts.

compare reads every file in Go benchmark format, such as the output of go test -bench -count=10.`,
		Example: `  tpbench compare churn.txt --by impl --base naive-sync
  tpbench compare old.txt new.txt
  tpbench compare old.txt new.txt --markdown --gate
  tpbench compare kernels.txt --charts .`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case beside && len(args) != 2:
				return usagef("compare --beside takes two files: of a kernel, and of the model in a guest with it")
			case len(args) == 2 && (by != "" || base != ""):
				return usagef("compare takes two files, or one file with --by and --base")
			case len(args) == 1 && (by == "") != (base == ""):
				return usagef("compare FILE takes --by and --base together, such as --by impl --base naive-sync")
			case len(args) != 1 && len(args) != 2:
				return usagef("compare takes two result files, OLD and NEW, or one with --by and --base, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			if beside {
				return showBeside(cmd.OutOrStdout(), args)
			}
			report, err := compareFiles(args, by, base, out.share())
			if err != nil {
				return err
			}
			report.Command = cmp.Or(report.Command, commandLine())
			if charts == "" {
				return out.write(cmd, report)
			}
			if report.Chain == nil {
				return usagef("--charts: expected a file of \"tpbench kernel\" with two images or more, and neither --by nor a second file")
			}
			if err := drawReleases(cmd.ErrOrStderr(), report, args[0], charts); err != nil {
				return err
			}
			return out.write(cmd, report)
		},
	}
	f := cmd.Flags()
	f.StringVar(&by, "by", "", "key whose values are the arms, such as impl or gp (default arm, as \"tpbench ab\" writes it)")
	f.StringVar(&base, "base", "", "the value of that key which the others are compared with")
	f.StringVar(&charts, "charts", "", "directory for a chart of the kernels in FILE, release by release")
	f.BoolVar(&beside, "beside", false, "print what operations cost in the kernel of one file and, beside it, in the model of the other, and of what it consists")
	out.flags(f)
	return cmd
}

// showBeside prints the model beside the kernel.
func showBeside(out io.Writer, paths []string) error {
	kernel, err := results.Open(paths[0])
	if err != nil {
		return err
	}
	model, err := results.Open(paths[1])
	if err != nil {
		return err
	}
	table, err := results.BesideKernel(kernel, model, catalog())
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(out, table)
	return err
}

// releasesChart is the name of the chart release by release.
const releasesChart = "releases"

// drawReleases draws the chart of a chain in the file at path, release by release, into dir.
func drawReleases(out io.Writer, report *compare.Report, path, dir string) error {
	run, err := results.Open(path)
	if err != nil {
		return err
	}
	h := plots.History{Arms: report.Chain, Again: report.Base + compare.Again}
	for _, l := range report.Lines {
		if l.Gate && (l.Word == compare.Slower || l.Word == compare.Faster) {
			h.Steps = append(h.Steps, plots.Step{Name: l.Name, Arm: l.Arm, Ratio: l.Ratio})
		}
	}
	c, err := plots.ByRelease(run, catalog(), h)
	if err != nil {
		return err
	}
	if err := plots.Save(c, dir, releasesChart); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "wrote %s.svg and .png\n", filepath.Join(dir, releasesChart))
	return err
}

// compareFiles compares two files, or the arms of one: those that have different values of the key by, or
// those of "tpbench ab".
func compareFiles(paths []string, by, base string, margin float64) (*compare.Report, error) {
	// A large file's values have no pointers, so collecting more often takes little time and saves a quarter of the memory.
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	sets, errs := make([]*compare.Set, len(paths)), make([]error, len(paths))
	var all sync.WaitGroup
	for i, path := range paths {
		all.Go(func() { sets[i], errs[i] = compare.Load(path) })
	}
	all.Wait()
	for _, err := range errs { // the first file's comes first
		if is[*fs.PathError](err) {
			return nil, usageError{err} // the user gave the name, also one in /proc
		}
		if err != nil {
			return nil, err
		}
	}
	if len(sets) == 2 {
		return compare.Between(sets[0], sets[1], margin)
	}
	has := "no key has several values there"
	if keys := sets[0].Keys(); len(keys) > 0 {
		has = "its keys: " + results.Visible(strings.Join(keys, "; "))
	}
	if by == "" && len(sets[0].Arms()) > 0 {
		return compare.Chain(sets[0], margin)
	}
	if by == "" {
		report, err := compare.Within(sets[0], compare.ArmKey, compare.ArmA, margin)
		if is[*results.MissingError](err) {
			return nil, usagef("%s has no arms of \"tpbench ab\"; expected --by and --base, such as --by impl --base naive-sync, or two files; %s", sets[0].Path, has)
		}
		return report, err
	}
	report, err := compare.Within(sets[0], by, base, margin)
	if is[*results.MissingError](err) {
		return nil, fmt.Errorf("%w; %s", err, has)
	}
	return report, err
}

// An output is how a comparison is written, and whether it decides the exit code.
type output struct {
	json, csv, markdown, mail bool
	gate                      bool
	margin                    float64 // in percent
}

// share is the margin as a share.
func (o *output) share() float64 { return o.margin / 100 }

func (o *output) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.json, "json", false, "write the comparison as JSON")
	f.BoolVar(&o.csv, "csv", false, "write the comparison as CSV")
	f.BoolVar(&o.markdown, "markdown", false, "write the comparison for a pull request")
	f.BoolVar(&o.mail, "mail", false, "write the comparison for a mailing list: plain text, 72 columns")
	f.Float64Var(&o.margin, "margin", 100*compare.Margin, "percent within which arms are called equal; the floor counts if it is larger, up to 5 % or this")
	f.BoolVar(&o.gate, "gate", false, "exit with 1 also if an arm is slower, and not only if it is worse")
}

// outputFlags are the flags of an output.
var outputFlags = []string{"json", "csv", "markdown", "mail", "gate", "margin"}

// check returns an error if there is more than one form, or no margin.
func (o *output) check() error {
	if !(o.margin > 0 && o.margin <= 100) {
		return usagef("--margin %v: expected a percentage above 0, and 100 at most", o.margin)
	}
	n := 0
	for _, on := range []bool{o.json, o.csv, o.markdown, o.mail} {
		if on {
			n++
		}
	}
	if n > 1 {
		return usagef("expected one of --json, --csv, --markdown and --mail")
	}
	return nil
}

// write writes a report to standard output. Its error says that an arm is worse, or, with --gate,
// slower. The warnings go to standard error where a program reads the output.
func (o *output) write(cmd *cobra.Command, r *compare.Report) error {
	write, warnings := r.WriteText, cmd.OutOrStdout()
	for _, form := range []struct {
		on    bool
		write func(io.Writer) error
	}{{o.json, r.WriteJSON}, {o.csv, r.WriteCSV}, {o.markdown, r.WriteMarkdown}, {o.mail, r.WriteMail}} {
		if form.on {
			write, warnings = form.write, cmd.ErrOrStderr()
		}
	}
	for _, w := range r.Warnings {
		if _, err := fmt.Fprintf(warnings, "warning: %s\n", results.Visible(w)); err != nil {
			return err
		}
	}
	if err := write(cmd.OutOrStdout()); err != nil {
		return err
	}
	if r.Worse() || o.gate && r.Regressed() {
		return regressedError(fmt.Sprintf("the verdict is %s; see above", r.Whole))
	}
	return nil
}

// A regressedError is the verdict of a comparison: exit code 1.
type regressedError string

func (e regressedError) Error() string { return string(e) }

// commandLine is how this process was started, as text to be copied into a shell.
func commandLine() string {
	words := []string{"tpbench"}
	for _, arg := range os.Args[1:] {
		if strings.ContainsFunc(arg, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./,:=@+~^", r)
		}) || arg == "" || arg[0] == '~' {
			arg = results.ShellQuote(arg)
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}
