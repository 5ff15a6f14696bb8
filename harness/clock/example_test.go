//go:build linux && amd64 && !purego

package clock_test

import (
	"fmt"
	"log"

	"github.com/tpbench/tpbench/harness/clock"
)

func Example() {
	// Step 1: the coordinator opens the clock, once.
	c, err := clock.Open()
	if err != nil {
		log.Fatal(err) // says what is missing and what to do
	}

	// Step 2: it hands the calibration to its workers, as a flag or a variable.
	text, err := c.MarshalText()
	if err != nil {
		log.Fatal(err)
	}

	// Step 3: a worker, pinned, takes it over and times a batch.
	var w clock.Clock
	if err := w.UnmarshalText(text); err != nil {
		log.Fatal(err)
	}
	start := clock.Start()
	for n := 0; n < 1_000_000; n++ {
	}
	ticks := clock.Stop() - start

	// Step 4: the batch counts if it is long against the clock's precision.
	fmt.Println("long enough:", w.NS(ticks) >= 100*w.Precision())
	// Output: long enough: true
}
