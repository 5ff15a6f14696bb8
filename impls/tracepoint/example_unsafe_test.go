package tracepoint_test

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// greet is a probe: an ordinary function that captures nothing. It gets what it needs through
// its data.
func greet(data unsafe.Pointer, event, _ uint64) {
	// SAFETY: Example registers greet with strings only.
	fmt.Printf("   %s, event %d\n", *(*string)(data), event)
}

// Example turns one event on and off, and on again.
// It repeats the beginning of package dispatch's example, because documentation shows the
// whole file.
func Example() {
	// Step 1. Take a strategy, an engine for grace periods, and the place that fires.
	strategy, _ := impls.Find("strategy", tracepoint.Variants(), "rcu-cond-sync")
	flavour, _ := impls.Find("flavour", rcu.Variants(), "memb")
	if err := errors.Join(strategy.Supported(), flavour.Supported()); err != nil {
		fmt.Println(err)
		return
	}
	domain := flavour.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	defer domain.Close()
	registry := tracepoint.New(strategy.New, domain)
	sites, _ := dispatch.Events(8)
	tp, _ := registry.Add("sched_switch", sites[7])

	// Step 2. A thread that fires registers as a reader. A tracepoint without probes does
	// nothing.
	reader := domain.Register()
	defer reader.Unregister()
	tp.Fire(reader)

	// Step 3. Register two probes: one function, two data.
	fn, _ := dispatch.GoFunc(greet)
	hello, welcome := "hello", "welcome"
	first := dispatch.Probe{Fn: fn, Data: unsafe.Pointer(&welcome), Prio: 10}
	second := dispatch.Probe{Fn: fn, Data: unsafe.Pointer(&hello)}
	for _, p := range []dispatch.Probe{second, first} {
		if err := registry.Register(tp, p); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("two probes:")
	tp.Fire(reader)

	// Step 4. Remove the probe that is called first. A reader could be about to call
	// with its data, so Unregister waits for a grace period.
	if err := registry.Unregister(tp, first); err != nil {
		fmt.Println(err)
	}
	fmt.Println("one probe:")
	tp.Fire(reader)
	fmt.Println("grace periods waited for:", domain.Counters().Waited)

	// Step 5. Remove the other probe. This does not wait. Its data may be freed after
	// Synchronize.
	if err := registry.Unregister(tp, second); err != nil {
		fmt.Println(err)
	}
	tp.Fire(reader)
	fmt.Println("off again, grace periods waited for:", domain.Counters().Waited)
	registry.Synchronize()

	// Step 6. The grace period of Step 5 is the one that the next registration needs.
	if err := registry.Register(tp, first); err != nil {
		fmt.Println(err)
	}
	fmt.Println("on again:")
	tp.Fire(reader)
	c := domain.Counters()
	fmt.Println("waited for by transitions and by Step 5:", c.Waited, "elided:", c.Elided)
	if err := registry.Unregister(tp, dispatch.Probe{}); err != nil {
		fmt.Println(err)
	}

	// Output:
	// two probes:
	//    welcome, event 7
	//    hello, event 7
	// one probe:
	//    hello, event 7
	// grace periods waited for: 1
	// off again, grace periods waited for: 1
	// on again:
	//    welcome, event 7
	// waited for by transitions and by Step 5: 2 elided: 1
}
