package dispatch_test

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// greet is a probe: an ordinary function that captures nothing. It gets what it needs through
// its data.
func greet(data unsafe.Pointer, event, _ uint64) {
	// SAFETY: Example arms its site with strings only.
	fmt.Printf("   %s, event %d\n", *(*string)(data), event)
}

// Example turns a site on step by step, as package tracepoint's strategies do. The order is
// right only because no other thread fires meanwhile. Its beginning stands in package
// tracepoint's example as well, because documentation shows the whole file.
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

	// Step 2. A thread that fires the site is a reader: a grace period of its Domain waits
	// for the probes that it calls. A site that is off is five bytes of NOP.
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

	// Step 4. With one probe, patch the static call to go to it. The body loads the first
	// entry's data by itself and passes it. With another thread in the site, publish and
	// patch would be the race that package tracepoint is about.
	one := two[1:]
	site.Publish(one)
	target, err = how.New.Target(one)
	check(err)
	fmt.Println("to the probe itself:", target.PC == uintptr(fn))
	check(site.StaticCall(target.PC))
	site.Fire(reader)

	// Step 5. Turn it off, the key first. The data may be freed after a grace period.
	check(site.KeyDisable())
	check(site.StaticCall(how.New.Iterator()))
	site.Publish(nil)
	fmt.Println("off:")
	site.Fire(reader)
	domain.Synchronize()
	target.Release() // of a thunk, if Bound were set

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
