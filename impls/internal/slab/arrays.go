package slab

import (
	"math/bits"
	"sync"
)

// Arrays hands out arrays of any length from a Slab for each power of two, and counts
// what is in use as it was asked for.
type Arrays[T any] struct {
	poison, last T

	// mu protects what follows. The Slabs' own nest inside it.
	mu       sync.Mutex
	slabs    []*Slab[T]
	fail     int // as Slab's, over all lengths
	elements int // of the arrays in use, as asked for
}

// NewArrays makes Arrays whose free ones hold poison up to the last element of their
// Slab's slot, and last there: what ends a walk.
func NewArrays[T any](poison, last T) *Arrays[T] {
	return &Arrays[T]{poison: poison, last: last, fail: -1}
}

// Alloc returns an array of n elements, for its user to fill. The error is ErrNoMem.
func (a *Arrays[T]) Alloc(n int) ([]T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.slab(n)
	if a.fail >= 0 {
		a.fail--
		if a.fail < 0 {
			s.FailAfter(0)
		}
	}
	slot, err := s.Alloc()
	if err != nil {
		return nil, err
	}
	a.elements += n
	return slot[:n], nil
}

// Free poisons an array, which stays readable for ever.
func (a *Arrays[T]) Free(array []T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.slab(len(array))
	s.Free(array[:len(s.poison)])
	a.elements -= len(array)
}

// FailAfter lets n more allocations succeed, of whatever length, and makes the one after
// them fail. A negative n takes that back.
func (a *Arrays[T]) FailAfter(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = n
}

// InUse is how many arrays are, and how many elements they were asked to have.
func (a *Arrays[T]) InUse() (arrays, elements int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.slabs {
		arrays += s.InUse()
	}
	return arrays, a.elements
}

// slab returns the one for arrays of n elements. mu must be held.
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
