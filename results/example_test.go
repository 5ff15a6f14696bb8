package results_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// From a result file to a claim.
func Example() {
	// Step 1: a file, here of two strategies in two rounds. In the second
	// round the whole machine was 30 % slower.
	const file = `tpbench: 2
cpu: Example CPU
kernel: 6.1
# plan 4 samples
# block 0 round 0
BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=100 1 800000000 ns/op 100 gp-waits/op
BenchmarkDisableAll/impl=rcu-cond-sync/gp=kernelgp/events=100 1 700000 ns/op 0 gp-waits/op
# block 1 round 1
BenchmarkDisableAll/impl=rcu-cond-sync/gp=kernelgp/events=100 1 910000 ns/op 0 gp-waits/op
BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=100 1 1040000000 ns/op 100 gp-waits/op
# end complete
`
	run, err := results.Read(strings.NewReader(file), "example.txt")
	if err != nil {
		log.Fatal(err)
	}

	// Step 2: select samples by benchmark and keys.
	naive := run.Samples.Select("DisableAll", "impl=naive-sync")
	cond := run.Samples.Select("DisableAll", "impl=rcu-cond-sync")

	// Step 3: summarize. Two samples are too few for an interval, which the
	// summary says itself.
	s := stat.Summarize(naive.Values("sec/op"))
	fmt.Println(results.Human(s.Center, "sec/op"), s.Warnings)

	// Step 4: the ratio within each round does not see the slow round.
	r, err := stat.PairedRatio(naive.Pairs("sec/op"), cond.Pairs("sec/op"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0fx [%.0f..%.0f]\n", r.Center, r.Lo, r.Hi)

	// Step 5: the table. The caller knows which strategies are sound, and what the
	// benchmark is about.
	catalog := results.Catalog{
		Impls:      []results.Impl{{Name: "naive-sync"}, {Name: "rcu-cond-sync"}},
		Benchmarks: []results.Benchmark{{Name: "DisableAll", Role: results.Disable}},
	}
	for _, t := range results.EvidenceTables(run, catalog) {
		fmt.Print(t)
	}

	// Output:
	// 920 ms [need >= 6 samples for confidence interval at level 0.95]
	// 1143x [1143..1143]
	// Bulk: disabling and enabling 100 events, gp=kernelgp, n=2
	//   impl           status              disable all  gp waits
	//   naive-sync     sound   920 ms (800 ms..1.04 s)       100
	//   rcu-cond-sync  sound         805 µs (700..910)         0
	//   (lo..hi): all samples, fewer than the 6 that a 95 % interval needs; it holds the median at 50 % (n=2)
}
