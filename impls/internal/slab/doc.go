// Package slab allocates memory that readers may still read after it was freed.
//
// Go's collector would hide the bugs that this project looks for: it keeps memory as long as a
// reader has a pointer to it. So a slab frees memory explicitly. Words:
//
//   - A slot is a piece of memory for a fixed number of values of one type.
//   - A late reader is one that reads a slot after it was freed, which is a bug.
//   - Poison is what a free slot holds.
//
// How it works:
//
//  1. A [Slab] allocates slots of one type and length and never gives their memory back. A
//     late reader finds values of that type.
//  2. [Slab.Free] fills the slot with poison at once. A late reader finds poison.
//  3. A freed slot is used again only after [Quarantine] others were freed, so the poison stays
//     for a while. Each use of a slot has another generation.
//  4. [Slab.FailAfter] makes an allocation fail with [ErrNoMem].
//
// Package slab panics if a slot is freed that is not in use.
package slab
