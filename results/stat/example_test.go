package stat_test

import (
	"fmt"

	"github.com/tpbench/tpbench/results/stat"
)

// Two benchmarks on a machine that gets slower during the run.
func Example() {
	// Step 1: one value of each in each round.
	a := []stat.Pair{{Round: 0, Value: 20}, {Round: 1, Value: 31}, {Round: 2, Value: 39}, {Round: 3, Value: 50}}
	b := []stat.Pair{{Round: 0, Value: 10}, {Round: 1, Value: 15}, {Round: 2, Value: 20}, {Round: 3, Value: 25}}

	// Step 2: as two samples, the values overlap, so the test finds no difference.
	values := func(ps []stat.Pair) (vs []float64) {
		for _, p := range ps {
			vs = append(vs, p.Value)
		}
		return vs
	}
	c := stat.Compare(values(a), values(b))
	fmt.Printf("U test: p = %.2f\n", c.P)

	// Step 3: in each round, a takes twice as long.
	r, err := stat.PairedRatio(a, b)
	if err != nil {
		panic(err)
	}
	fmt.Printf("ratio: %.2f [%.2f..%.2f]\n", r.Center, r.Lo, r.Hi)
	fmt.Println(r.Warnings[0])

	// Output:
	// U test: p = 0.09
	// ratio: 2.00 [1.93..2.08]
	// an interval from 4 rounds takes log ratios for normal, which so few cannot show
}
