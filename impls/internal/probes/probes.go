// Package probes is the sorted array of probes that the packages tracepoint and unregister
// both keep.
//
//   - An entry is one probe as a site reads it: function, data, priority.
//   - An array is what a site's tp->funcs points to: one entry for each probe, by falling
//     priority, equal priorities in order of registration, and a zero entry at the end.
//   - A dead entry is one whose function was overwritten in place, because there was no
//     memory for a shorter array. Only package unregister has such entries.
//
// The families differ in when an array is made and how readers come to see it. That stays
// with them: their lists of steps are what their packages are read for.
package probes

import (
	"cmp"
	"errors"
	"slices"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
)

// What the kernel returns as -EEXIST and -ENOENT.
var (
	ErrExist    = errors.New("this function is registered with this data already")
	ErrNotFound = errors.New("this function is not registered with this data")
)

// Arrays allocates arrays, and frees them.
type Arrays = slab.Arrays[dispatch.Entry]

// NewArrays returns an allocator of arrays. A reader that still walks a freed array calls
// a function that counts the call (dispatch.FreedCalls). dispatch.Open must have succeeded.
func NewArrays() *Arrays { return slab.NewArrays(dispatch.Poison(), dispatch.Entry{}) }

// Of returns the entries of an array, without the zero entry at its end. The array may
// be nil.
func Of(array []dispatch.Entry) []dispatch.Entry { return array[:max(0, len(array)-1)] }

// Find returns the index of the entry with the function and data of p, or -1. The priority
// does not matter.
func Find(entries []dispatch.Entry, p dispatch.Probe) int {
	return slices.IndexFunc(entries, func(e dispatch.Entry) bool {
		return e.Fn == uintptr(p.Fn) && e.Data == p.Data
	})
}

// Insert writes entries and p into array: p after all that have its priority or a
// higher one. The array is two longer than entries.
func Insert(array, entries []dispatch.Entry, p dispatch.Probe) {
	at, _ := slices.BinarySearchFunc(entries, p.Prio, func(e dispatch.Entry, prio int) int {
		return cmp.Or(cmp.Compare(prio, e.Prio), -1)
	})
	copy(array, entries[:at])
	array[at] = dispatch.Entry{Fn: uintptr(p.Fn), Data: p.Data, Prio: p.Prio}
	copy(array[at+1:], entries[at:])
	array[len(entries)+1] = dispatch.Entry{}
}

// Remove writes all entries but the one at index at into array, which is as long as
// entries.
func Remove(array, entries []dispatch.Entry, at int) {
	copy(array, entries[:at])
	copy(array[at:], entries[at+1:])
	array[len(entries)-1] = dispatch.Entry{}
}

// Live returns a copy of the entries whose function is not dead.
func Live(entries []dispatch.Entry, dead dispatch.Func) []dispatch.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e dispatch.Entry) bool { return e.Fn == uintptr(dead) })
}
