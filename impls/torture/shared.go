package torture

import (
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// This file has what attacks share: what memory holds, the flavour of readers, delays, and the
// history of a place.

// What memory holds in its first word while it is in use, and after it was freed.
const (
	Alive  = 0x6c6976652d6f626a
	Poison = 0x6b6b6b6b6b6b6b6b // the kernel's POISON_FREE
)

// Flavour returns the flavour that the readers of other families enter sections of: the first
// sound one that is not slow and whose grace periods wait only for readers in sections. Its
// grace periods are the shortest. A longer one would hide that a strategy lacks a wait.
var Flavour = sync.OnceValue(func() rcu.Variant {
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

// Busy keeps the CPU for a random time. Every order of magnitude is as likely as the next.
func Busy(rnd *rand.Rand, least, most time.Duration) {
	l, m := math.Log(float64(least)), math.Log(float64(most))
	d := time.Duration(math.Exp(l + rnd.Float64()*(m-l)))
	for began := time.Now(); time.Since(began) < d; {
	}
}

// Spin passes time: n turns of an empty loop, about a third of a nanosecond each.
func Spin(n uint32) {
	for range n {
	}
}

// A History holds the last changes of a place. One thread adds to it; any may read it.
type History struct {
	n    atomic.Uint64
	last [8]atomic.Pointer[string]
}

// Add notes a change.
func (h *History) Add(what string) {
	h.last[h.n.Add(1)%uint64(len(h.last))].Store(&what)
}

// String lists the last changes, oldest first.
func (h *History) String() string {
	n := h.n.Load()
	var list []string
	for i := n + 1; i <= n+uint64(len(h.last)); i++ {
		if p := h.last[i%uint64(len(h.last))].Load(); p != nil {
			list = append(list, *p)
		}
	}
	return strings.Join(list, ", ")
}
