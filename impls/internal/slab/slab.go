package slab

import (
	"errors"
	"fmt"
	"sync"
)

// ErrNoMem is the error of an allocation that FailAfter makes fail.
var ErrNoMem = errors.New("out of memory")

// Quarantine is the number of freed slots that are kept before the oldest is used again.
const Quarantine = 16

// A Slab holds slots, each of the same number of values of T. Any goroutine may call its
// methods. The slab does not order accesses to what a slot holds.
type Slab[T any] struct {
	poison []T
	grow   func() ([]T, error) // makes a slot that has never been used

	// mu protects what follows. Innermost.
	mu    sync.Mutex
	slots map[*T]*header // by first element
	freed [][]T          // oldest first
	fail  countdown
}

// A countdown is the number of allocations until one fails. If it is negative none will.
type countdown int

// fails counts an allocation, and reports whether it fails.
func (c *countdown) fails() bool {
	if *c < 0 {
		return false
	}
	*c--
	return *c < 0
}

// A header is the slab's record of one slot.
type header struct {
	generation uint64 // uses so far, this one included
	used       bool
}

// New makes a slab whose slots are as long as poison, and hold its values when they are free.
func New[T any](poison ...T) *Slab[T] {
	return Over(func() ([]T, error) { return make([]T, len(poison)), nil }, poison...)
}

// Over makes a slab of memory that the collector does not manage. grow returns a slot as long
// as poison, or an error.
func Over[T any](grow func() ([]T, error), poison ...T) *Slab[T] {
	return &Slab[T]{poison: poison, grow: grow, slots: map[*T]*header{}, fail: -1}
}

// Alloc returns a slot that holds poison or zeros. The caller fills it before it publishes it.
// The error is ErrNoMem, or grow's.
func (s *Slab[T]) Alloc() ([]T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail.fails() {
		return nil, ErrNoMem
	}
	if len(s.freed) <= Quarantine {
		slot, err := s.grow()
		if err != nil {
			return nil, err
		}
		s.slots[&slot[0]] = &header{1, true}
		return slot, nil
	}
	slot := s.freed[0]
	s.freed = s.freed[1:]
	h := s.slots[&slot[0]]
	h.generation++
	h.used = true
	return slot, nil
}

// Free fills the slot with poison. It always stays readable.
func (s *Slab[T]) Free(slot []T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.slots[&slot[0]]
	if h == nil || !h.used {
		panic(fmt.Sprintf("slab: slot %p freed, which is not in use", &slot[0]))
	}
	h.used = false
	copy(slot, s.poison)
	s.freed = append(s.freed, slot)
}

// Generation returns how often a slot was allocated.
func (s *Slab[T]) Generation(slot []T) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slots[&slot[0]].generation
}

// FailAfter lets n more allocations succeed and makes the next one fail. With a negative n
// none fails.
func (s *Slab[T]) FailAfter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = countdown(n)
}

// InUse returns how many slots are in use.
func (s *Slab[T]) InUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.slots) - len(s.freed)
}
