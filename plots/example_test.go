package plots_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
)

// From a result file to charts on disk.
func Example() {
	// Step 1: read the file. (This one is synthetic.)
	run, err := results.Open("../results/testdata/synthetic3.txt")
	if err != nil {
		log.Fatal(err)
	}

	// Step 2: say what the file cannot: the order of the strategies, which of them are
	// busted, and what the benchmarks are about.
	catalog := results.Catalog{
		Impls:      []results.Impl{{Name: "indirect-iterator"}, {Name: "direct-static-call", Busted: true}, {Name: "naive-sync"}, {Name: "rcu-cond-sync"}},
		Benchmarks: []results.Benchmark{{Name: "DisableAll", Role: results.Disable}, {Name: "UprobeHit", Role: results.UprobeHit}},
		KernelGP:   "kernelgp",
	}

	// Step 3: draw and save. A chart that lacks its samples says which, and is
	// left out; here no uprobe was hit.
	dir, err := os.MkdirTemp("", "plots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, d := range plots.Charts() {
		if d.Name != "scaling" && d.Name != "uprobe" {
			continue
		}
		c, err := d.Draw(run, catalog)
		var missing *results.MissingError
		if errors.As(err, &missing) {
			fmt.Println("skipped:", missing.What)
			continue
		} else if err != nil {
			log.Fatal(err)
		}
		if err := plots.Save(c, dir, d.Name); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("saved: %s.svg and .png\n", d.Name)
	}

	// Output:
	// saved: scaling.svg and .png
	// skipped: UprobeHit/keys=same in Mhits/s
}
