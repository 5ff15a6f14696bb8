package dispatch_test

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// greet is a probe: an ordinary function that captures nothing. What it needs comes
// through its data.
func greet(data unsafe.Pointer, event, _ uint64) {
	// SAFETY: Example arms its site with strings only.
	fmt.Printf("   %s, event %d\n", *(*string)(data), event)
}

// Example turns a site on by hand, step by step: what package tracepoint's strategies
// do, in an order that is right when nobody fires meanwhile.
func Example() {
	// Step 1. Take a way to dispatch, an engine for grace periods, and a site: one
	// event's key and static call, in this binary's text.
	how, _ := impls.Find("dispatch", dispatch.Variants(), "static-call")
	flavour, _ := impls.Find("flavour", rcu.Variants(), "memb")
	if err := errors.Join(how.Supported(), flavour.Supported()); err != nil {
		fmt.Println(err)
		return
	}
	sites, _ := dispatch.Events(8)
	site := sites[7]

	// Step 2. Whoever fires it is a reader: a grace period of its Domain waits for its
	// probes. A site that is off is five bytes of NOP.
	domain := flavour.New(rcu.Options{})
	defer domain.Close()
	reader := domain.Register()
	defer reader.Unregister()
	site.Fire(reader)

	// Step 3. An array of probes ends with a zero entry. Publish it, and only then
	// patch the key to jump to the site's body. The static call goes to the iterator.
	fn, _ := dispatch.GoFunc(greet)
	hello, welcome := "hello", "welcome"
	two := []dispatch.Entry{
		{Fn: uintptr(fn), Data: unsafe.Pointer(&welcome)},
		{Fn: uintptr(fn), Data: unsafe.Pointer(&hello)},
		{},
	}
	site.Publish(two)
	target, err := how.New.Target(two)
	check(err)
	fmt.Println("to the iterator:", target.PC == how.New.Iterator())
	check(site.StaticCall(target.PC))
	check(site.KeyEnable())
	site.Fire(reader)

	// Step 4. With one probe, patch the static call to go to that. The body passes it
	// the first entry's data, which it loads by itself: with another thread in the site
	// these two lines are the race that package tracepoint is about.
	one := two[1:]
	site.Publish(one)
	target, err = how.New.Target(one)
	check(err)
	fmt.Println("to the probe itself:", target.PC == uintptr(fn))
	check(site.StaticCall(target.PC))
	site.Fire(reader)

	// Step 5. Off again: the key first. The data may go after a grace period.
	check(site.KeyDisable())
	check(site.StaticCall(how.New.Iterator()))
	site.Publish(nil)
	fmt.Println("off:")
	site.Fire(reader)
	domain.Synchronize()
	target.Release() // of a thunk, had it been one

	// Output:
	// to the iterator: true
	//    welcome, event 7
	//    hello, event 7
	// to the probe itself: true
	//    hello, event 7
	// off:
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
	}
}
