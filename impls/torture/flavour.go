package torture

import (
	"sync"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// Flavour returns the flavour that the readers of other families enter sections of: the first
// sound one that is not slow and whose grace periods wait only for readers in sections. Its
// grace periods are the shortest. A longer one would hide that a strategy lacks a wait.
func Flavour() rcu.Variant { return flavour() }

var flavour = sync.OnceValue(func() rcu.Variant {
	for _, v := range impls.OnlySound(rcu.Variants()) {
		if v.Slow {
			continue
		}
		d := v.New(rcu.Options{})
		defer d.Close()
		if !d.NeedsQuiescent() {
			return v
		}
	}
	panic("torture: no sound flavour waits only for readers in sections")
})
