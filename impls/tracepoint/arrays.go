package tracepoint

import (
	"math/bits"
	"sync"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
)

// arrays is where the arrays come from that sites walk: a slab for each power of two
// entries. The collector would keep what a late reader walks alive and
// unchanged; from here it is poisoned as soon as it is freed.
type arrays struct {
	mu    sync.Mutex // protects slabs; innermost but for the slabs' own
	slabs []*slab.Slab[dispatch.Entry]
}

// alloc returns an array of n entries, n at least 2, for its user to fill. The error is
// slab.ErrNoMem.
func (a *arrays) alloc(n int) ([]dispatch.Entry, error) {
	slot, err := a.slab(n).Alloc()
	if err != nil {
		return nil, err
	}
	return slot[:n], nil
}

// free ends an array's life. Who still walks it calls poison, up to the zero entry.
func (a *arrays) free(funcs []dispatch.Entry) {
	a.slab(len(funcs)).Free(funcs)
}

// slab returns the one for arrays of n entries.
func (a *arrays) slab(n int) *slab.Slab[dispatch.Entry] {
	a.mu.Lock()
	defer a.mu.Unlock()
	class := bits.Len(uint(n - 1))
	for len(a.slabs) <= class {
		poison := make([]dispatch.Entry, 1<<len(a.slabs))
		for i := range len(poison) - 1 {
			poison[i] = dispatch.Poison()
		}
		a.slabs = append(a.slabs, slab.New(poison...))
	}
	return a.slabs[class]
}
