package livepatch_test

import (
	"fmt"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A function is patched while two tasks call it. Each task goes to the new function at its own time.
func Example() {
	variant, err := impls.Find("livepatch", livepatch.Variants(), "rude")
	if err != nil || variant.Supported() != nil {
		fmt.Println("cannot run here")
		return
	}
	domain := variant.New(rcu.Options{})
	defer domain.Close()
	core, err := livepatch.New(domain)
	if err != nil {
		fmt.Println(err)
		return
	}

	// Step 1: a function, as it was compiled.
	old, _ := dispatch.GoFunc(func(data unsafe.Pointer, _, _ uint64) { *(*string)(data) = "old" })
	fixed, _ := dispatch.GoFunc(func(data unsafe.Pointer, _, _ uint64) { *(*string)(data) = "fixed" })
	functions, _ := livepatch.Functions()
	f := functions[0]
	f.SetBody(old)
	defer f.SetBody(dispatch.Nop())

	// Step 2: two tasks. This goroutine plays both.
	a, b := core.NewTask(), core.NewTask()
	show := func(when string) {
		var sees [2]string
		// SAFETY: both functions expect data to point to a string.
		a.Call(f, unsafe.Pointer(&sees[0]), 1)
		b.Call(f, unsafe.Pointer(&sees[1]), 1)
		fmt.Printf("%s: a calls %s, b calls %s\n", when, sees[0], sees[1])
	}
	show("before")

	// Step 3: the patch is enabled. No task has passed a safe point yet.
	patch := &livepatch.Patch{Name: "fix", Replacements: []livepatch.Replacement{{Old: f, New: fixed}}}
	show(fmt.Sprintf("enabled, %v", core.Enable(patch)))

	// Step 4: a passes a safe point and flips. b sleeps, and TryComplete flips it.
	a.Update()
	show("a has flipped")
	b.Block()
	fmt.Println("complete:", core.TryComplete())
	b.Wake()
	show("patched")

	// Step 5: the patch is disabled.
	a.Block()
	b.Block()
	err = core.Unpatch(patch)
	a.Wake()
	b.Wake()
	show(fmt.Sprintf("unpatched, %v", err))

	a.Exit()
	b.Exit()
	fmt.Println("in use:", core.InUse(), core.Close())
	// Output:
	// before: a calls old, b calls old
	// enabled, <nil>: a calls old, b calls old
	// a has flipped: a calls fixed, b calls old
	// complete: true
	// patched: a calls fixed, b calls fixed
	// unpatched, <nil>: a calls old, b calls old
	// in use: 0 <nil>
}
