package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"
)

func newRun() *cobra.Command {
	var (
		cases    selection
		in       place
		against  string
		schedule schedule
		path     string
		seed     uint64
		out      output
	)
	cmd := &cobra.Command{
		Use:   "run -o FILE",
		Short: "Measure the benchmarks and implementations you choose, to a file",
		Long: fmt.Sprintf(`run measures the benchmarks and implementations you choose, and writes every sample to
FILE in Go benchmark format. It works in rounds: each round takes one sample of every
case that is due, in an order that the seed determines. Each sample is taken by a new process.

With --against IMPL, run compares the other implementations with that one, the base, and prints a verdict
for each, as "tpbench compare" does. It measures the base twice in each block: what differs between the two
is noise, and the others must differ by more. It tortures strategies, too. Without --rounds and --budget it
measures as many rounds as the number of comparisons needs. Without --against the default is %d rounds.

%s

If FILE was left by an interrupted run with the same flags, run measures what is missing.`, defaultRounds, guestHelp),
		Example: `  tpbench run --bench 'Dispatch|DisableAll' --impl naive-sync,rcu-cond-sync --events 200 --rounds 10 -o a.txt
  tpbench run --bench GracePeriod --gp memb,qsbr --readers 1 -o gp.txt
  tpbench run --bench Poke --impl int3-batch -o poke.txt
  tpbench run --against rcu-cond-sync --impl batched,bound --bench DisableAll --gp memb -o against.txt
  tpbench run --guest vmlinuz --bench 'DisableAll|Churn' --impl batched -o guest.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			compares := cmd.Flags().Changed("against")
			if compares {
				if err := cases.against(against); err != nil {
					return err
				}
			}
			chosen, wanted, err := cases.choose(cmd)
			if err != nil {
				return err
			}
			if err := cmp.Or(schedule.check(cmd.Flags()), out.check(), in.check(cmd.Flags())); err != nil {
				return err
			}
			if path == "" {
				return usagef("run needs -o FILE, the file to write the results to")
			}
			if compares {
				return runAgainst(cmd, in, against, chosen, wanted, seed, schedule, path, out)
			}
			for _, flag := range append([]string{"budget"}, outputFlags...) {
				if cmd.Flags().Changed(flag) {
					return usagef("--%s is for comparisons; expected --against, too", flag)
				}
			}
			for i := range chosen {
				chosen[i].Rounds = cmp.Or(schedule.rounds, defaultRounds)
			}
			return measure(cmd, in, chosen, wanted, seed, path)
		},
	}
	f := cmd.Flags()
	cases.flags(f)
	in.flags(f)
	f.StringVar(&against, "against", "", "implementation to compare the others with")
	schedule.flags(f)
	f.StringVarP(&path, "output", "o", "", "file to write the results to")
	f.Uint64Var(&seed, "seed", 0, "determines the order of the cases in each round (default random; the file names it)")
	out.flags(f)
	return cmd
}

// defaultRounds of a run that compares nothing yet; below 6 a median has no 95 % interval.
const defaultRounds = 10

// mostRounds bounds a run: more samples give no better interval.
const mostRounds = 10_000
