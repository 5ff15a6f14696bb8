package slab

import (
	"math/bits"
	"sync"
)

// Arrays allocates arrays of any length. It has a Slab for each power of two.
type Arrays[T any] struct {
	poison, last T

	// mu protects what follows. The Slabs' own nest inside it.
	mu       sync.Mutex
	slabs    []*Slab[T]
	fail     countdown // of arrays of any length
	elements int       // of the arrays in use: the sum of their requested lengths
}

// NewArrays makes Arrays. A freed array's slot holds poison, and last as its last element, at
// which a reader's walk ends.
func NewArrays[T any](poison, last T) *Arrays[T] {
	return &Arrays[T]{poison: poison, last: last, fail: -1}
}

// Alloc returns an array of n elements, which the caller fills. The error is ErrNoMem.
func (a *Arrays[T]) Alloc(n int) ([]T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail.fails() {
		return nil, ErrNoMem
	}
	slot, err := a.slab(n).Alloc()
	if err != nil {
		return nil, err
	}
	a.elements += n
	return slot[:n], nil
}

// Free fills an array with poison. It always stays readable.
func (a *Arrays[T]) Free(array []T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.slab(len(array))
	s.Free(array[:len(s.poison)])
	a.elements -= len(array)
}

// FailAfter lets n more allocations, of any length, succeed and makes the next one fail. With
// a negative n none fails.
func (a *Arrays[T]) FailAfter(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = countdown(n)
}

// InUse returns how many arrays are in use, and the sum of their requested lengths.
func (a *Arrays[T]) InUse() (arrays, elements int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.slabs {
		arrays += s.InUse()
	}
	return arrays, a.elements
}

// slab returns the Slab for arrays of n elements. mu must be held.
func (a *Arrays[T]) slab(n int) *Slab[T] {
	class := bits.Len(uint(n - 1))
	for len(a.slabs) <= class {
		poison := make([]T, 1<<len(a.slabs))
		for i := range poison {
			poison[i] = a.poison
		}
		poison[len(poison)-1] = a.last
		a.slabs = append(a.slabs, New(poison...))
	}
	return a.slabs[class]
}
