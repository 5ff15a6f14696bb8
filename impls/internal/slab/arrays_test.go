package slab

import (
	"errors"
	"slices"
	"testing"
)

// If this fails, a reader that walks a freed array finds its end before any poison, or no end.
func TestArraysPoison(t *testing.T) {
	a := NewArrays(-1, 0)
	for n := 2; n <= 9; n++ {
		array, err := a.Alloc(n)
		if err != nil || len(array) != n {
			t.Fatalf("Alloc(%d): %d elements, %v", n, len(array), err)
		}
		for i := range array {
			array[i] = 7
		}
		whole := array[:cap(array)]
		a.Free(array)
		want := slices.Repeat([]int{-1}, len(whole))
		want[len(want)-1] = 0
		if !slices.Equal(whole, want) {
			t.Errorf("freed array of %d: %v, want %v", n, whole, want)
		}
	}
}

// If this fails, InUse misses a leak, or counts the length that was rounded up.
func TestArraysInUse(t *testing.T) {
	a := NewArrays(-1, 0)
	expect := func(arrays, elements int) {
		t.Helper()
		if n, e := a.InUse(); n != arrays || e != elements {
			t.Errorf("%d arrays of %d elements in use, want %d of %d", n, e, arrays, elements)
		}
	}
	three, _ := a.Alloc(3)
	five, _ := a.Alloc(5)
	expect(2, 8)
	a.Free(three)
	expect(1, 5)
	a.FailAfter(0)
	if _, err := a.Alloc(2); !errors.Is(err, ErrNoMem) {
		t.Error(err)
	}
	expect(1, 5)
	a.Free(five)
	expect(0, 0)
}

// If this fails, another allocation fails than FailAfter says.
func TestArraysFailAfter(t *testing.T) {
	a := NewArrays(-1, 0)
	a.FailAfter(2)
	for i, want := range []error{nil, nil, ErrNoMem, nil} {
		if _, err := a.Alloc(2 + 5*i); !errors.Is(err, want) {
			t.Errorf("allocation %d: %v, want %v", i, err, want)
		}
	}
	a.FailAfter(0)
	a.FailAfter(-1)
	if _, err := a.Alloc(2); err != nil {
		t.Errorf("FailAfter(-1) did not undo FailAfter(0): %v", err)
	}
}
