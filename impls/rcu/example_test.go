//go:build amd64

package rcu_test

import (
	"fmt"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// An updater replaces a configuration that another goroutine reads all the time, and waits until
// the old one may be reused.
func Example() {
	// Step 1: open an engine. qsbr runs on any amd64; Supported reports where another flavour
	// cannot run.
	flavour, err := impls.Find("flavour", rcu.Variants(), "qsbr")
	if err != nil {
		fmt.Println(err)
		return
	}
	domain := flavour.New(rcu.Options{})
	defer domain.Close()

	// Step 2: a reader uses what is published, but only inside a section.
	type config struct{ name string }
	var current atomic.Pointer[config]
	current.Store(&config{"old"})
	var stop atomic.Bool
	ready, gone := make(chan bool), make(chan bool)
	go func() {
		reader := domain.Register()
		ready <- true
		for !stop.Load() {
			reader.Lock()
			_ = current.Load().name
			reader.Unlock()
			reader.Quiescent() // qsbr waits for it; other flavours ignore it
		}
		reader.Unregister()
		gone <- true
	}()
	<-ready

	// Step 3: unpublish, wait, and only then reuse.
	old := current.Swap(&config{"new"})
	domain.Synchronize()
	fmt.Printf("no reader uses %q\n", old.name)

	// Step 4: or take a snapshot now and wait later, if no grace period has passed meanwhile.
	old = current.Swap(&config{"newer"})
	state := domain.GetState()
	domain.Synchronize() // it may be another updater's
	domain.CondSync(state)
	fmt.Printf("nor %q; CondSync elided %d of 1 wait\n", old.name, domain.Counters().Elided)

	// Step 5: or let the engine wait.
	old = current.Swap(&config{"newest"})
	domain.Call(func() { fmt.Printf("nor %q, in a callback\n", old.name) })
	domain.Barrier()

	stop.Store(true)
	<-gone
	// Output:
	// no reader uses "old"
	// nor "new"; CondSync elided 1 of 1 wait
	// nor "newer", in a callback
}
