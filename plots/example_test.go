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

	// Step 2: say what the file cannot: the order of the strategies, which
	// fixes their colours, and which of them are busted.
	catalog := results.Catalog{{Name: "indirect-iterator"}, {Name: "direct-static-call", Busted: true}, {Name: "naive-sync"}, {Name: "rcu-cond-sync"}}

	// Step 3: draw and save. A chart that lacks its samples says which, and is
	// left out; here no benchmark was run with gp=paced.
	dir, err := os.MkdirTemp("", "plots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, gp := range []string{"kernelgp", "paced"} {
		c, err := plots.Scaling(run, catalog, gp)
		var missing *results.MissingError
		if errors.As(err, &missing) {
			fmt.Println("skipped:", missing.What)
			continue
		} else if err != nil {
			log.Fatal(err)
		}
		if err := plots.Save(c, dir, "scaling-"+gp); err != nil {
			log.Fatal(err)
		}
	}

	files, err := os.ReadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(f.Name())
	}

	// Output:
	// skipped: DisableAll/gp=paced with two or more values of events
	// scaling-kernelgp.png
	// scaling-kernelgp.svg
}
