// Package slab is memory for what readers may still touch after it was freed.
//
// Go's collector would hide exactly the bugs this project is about: what a reader
// holds stays alive, whoever freed it. So:
//
//  1. A [Slab] hands out slots of one type and never returns their memory: a late
//     reader finds a slot of that type, not somebody else's memory.
//  2. [Slab.Free] poisons the slot at once. A late reader finds poison.
//  3. A freed slot is used again only after [Quarantine] others, so that poison
//     stays to be found; and each use has another generation.
//  4. [Slab.FailAfter] makes an allocation fail on demand, with [ErrNoMem].
//
// Package slab refuses to free what is not in use: that panics. It is a leaf.
package slab
