//go:build linux

package host_test

import (
	"fmt"
	"log"
	"sync"

	"github.com/tpbench/tpbench/harness/host"
)

func Example() {
	// Step 1: describe the machine, at the head of the result file.
	for _, f := range host.Facts() {
		line := fmt.Sprintf("%s: %s", f.Key, f.Value)
		_ = line // goes to the file
	}

	// Step 2: report what makes numbers wrong, with the command that mends it.
	for _, c := range host.Doctor() {
		if c.Status == host.Fail {
			log.Printf("%s: %s: %s: %s", c.Name, c.Found, c.Why, c.Do)
		}
	}

	// Step 3: measure on its own goroutine, which Pin binds to a thread and a CPU until it ends.
	var thread sync.WaitGroup
	thread.Go(func() {
		cpus, err := host.Allowed()
		if err != nil {
			log.Fatal(err)
		}
		if err := host.Pin(cpus[0]); err != nil {
			log.Fatal(err) // names the CPUs there are, and what to do
		}

		// Step 4: repeat a batch until the kernel has not taken the CPU away during it.
		for {
			before, err := host.Switches()
			if err != nil {
				log.Fatal(err)
			}
			for n := 0; n < 10_000; n++ { // the batch
			}
			if after, _ := host.Switches(); after == before {
				fmt.Println("an undisturbed batch")
				return
			}
		}
	})
	thread.Wait()
	// Output: an undisturbed batch
}
