package stat_test

import (
	"fmt"
	"math"

	"github.com/tpbench/tpbench/results/stat"
)

// Two arms in seven blocks, on a machine that becomes slower during the run.
func Example() {
	a := []float64{20, 31, 39, 50, 61, 70, 80}
	b := []float64{21, 32, 41, 52, 63, 73, 83}

	// Step 1: each arm alone. The machine moves the values more than the arms differ.
	fmt.Printf("medians %v and %v\n", stat.Summarize(a).Center, stat.Summarize(b).Center)
	fmt.Printf("unpaired: p = %.2f\n", stat.Unpaired(a, b).P(0))

	// Step 2: the log ratio of each block, and the ratio with its interval.
	var d []float64
	for i := range a {
		d = append(d, math.Log(b[i]/a[i]))
	}
	s := stat.Paired(d)
	lo, hi := s.Interval(0.05)
	fmt.Printf("b/a = %.3f [%.3f..%.3f], p = %.4f\n", math.Exp(s.Center()), math.Exp(lo), math.Exp(hi), s.P(0))

	// Step 3: is that within 10 %?
	fmt.Printf("equal within 10 %%: p = %.4f\n", s.Equivalence(0, math.Log(1.1)))

	// Step 4: what would have been found in four of five such runs?
	fmt.Printf("detectable: %.1f %%\n", 100*math.Expm1(stat.Paired(d).Detectable(0.05, 0.8)))

	// Step 5: as one line of 40, seven blocks are too few.
	lo, hi = s.Interval(0.05 / 40)
	fmt.Printf("one of 40: [%.0f..%.0f], needs %d units\n", math.Exp(lo), math.Exp(hi), stat.LeastUnits(0.05/40))

	// Output:
	// medians 50 and 52
	// unpaired: p = 0.71
	// b/a = 1.041 [1.033..1.050], p = 0.0156
	// equal within 10 %: p = 0.0078
	// detectable: 1.4 %
	// one of 40: [0..+Inf], needs 11 units
}
