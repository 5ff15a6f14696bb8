package slab

import (
	"errors"
	"testing"
)

// If this fails, a late reader finds the old values and not poison.
func TestFreePoisons(t *testing.T) {
	s := New(-1, -2, -3)
	slot, err := s.Alloc()
	if err != nil {
		t.Fatal(err)
	}
	copy(slot, []int{7, 8, 9})
	s.Free(slot)
	for i, v := range slot {
		if v != -1-i {
			t.Errorf("freed slot[%d] = %d", i, v)
		}
	}
}

// If this fails, freed memory is used again too early for a late reader to find poison in it,
// or it is never used again.
func TestQuarantine(t *testing.T) {
	s := New(-1)
	first, _ := s.Alloc()
	s.Free(first)
	for i := range Quarantine {
		slot, _ := s.Alloc()
		if &slot[0] == &first[0] {
			t.Fatalf("reused after %d others were freed", i)
		}
		s.Free(slot)
	}
	if g := s.Generation(first); g != 1 {
		t.Errorf("generation %d before it is reused", g)
	}
	again, _ := s.Alloc()
	if &again[0] != &first[0] {
		t.Error("the oldest freed slot is not the next to be used")
	}
	if g := s.Generation(again); g != 2 {
		t.Errorf("generation %d in its second use", g)
	}
	if n := s.InUse(); n != 1 {
		t.Errorf("%d in use, want 1", n)
	}
}

// If this fails, a test cannot choose the allocation that fails.
func TestFailAfter(t *testing.T) {
	s := New(-1)
	s.FailAfter(2)
	for i, want := range []error{nil, nil, ErrNoMem, nil} {
		if _, err := s.Alloc(); !errors.Is(err, want) {
			t.Errorf("allocation %d: %v, want %v", i, err, want)
		}
	}
	s.FailAfter(0)
	s.FailAfter(-1)
	if _, err := s.Alloc(); err != nil {
		t.Errorf("FailAfter(-1) did not undo FailAfter(0): %v", err)
	}
}

// If this fails, a slot that is freed twice is allocated to two callers.
func TestFreePanics(t *testing.T) {
	s := New(-1)
	slot, _ := s.Alloc()
	s.Free(slot)
	for name, bad := range map[string][]int{"freed": slot, "foreign": make([]int, 1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("freed a %s slot", name)
				}
			}()
			s.Free(bad)
		}()
	}
}
