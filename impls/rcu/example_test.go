//go:build amd64

package rcu_test

import (
	"fmt"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// Replace a configuration that another goroutine reads all the time, and know when
// the old one may be reused.
func Example() {
	// Step 1: open an engine. qsbr runs anywhere; the others say through
	// Supported where they cannot.
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
			reader.Quiescent() // qsbr wants to hear it; the others ignore it
		}
		reader.Unregister()
		gone <- true
	}()
	<-ready

	// Step 3: unpublish, wait, and only then reuse.
	old := current.Swap(&config{"new"})
	domain.Synchronize()
	fmt.Printf("nobody reads %q any more\n", old.name)

	// Step 4: or remember the moment and wait later, if that is still needed.
	old = current.Swap(&config{"newer"})
	state := domain.GetState()
	domain.Synchronize() // somebody else's, it might be
	domain.CondSync(state)
	fmt.Printf("nor %q, and CondSync elided %d of 1 wait\n", old.name, domain.Counters().Elided)

	// Step 5: or leave it to the engine.
	old = current.Swap(&config{"newest"})
	domain.Call(func() { fmt.Printf("nor %q, said a callback\n", old.name) })
	domain.Barrier()

	stop.Store(true)
	<-gone
	// Output:
	// nobody reads "old" any more
	// nor "new", and CondSync elided 1 of 1 wait
	// nor "newer", said a callback
}
