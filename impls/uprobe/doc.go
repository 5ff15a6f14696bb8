// Package uprobe keeps breakpoints, and finds, pins, puts and destroys them while
// threads hit them.
//
// It is the middle of kernel/events/uprobes.c: a tree of uprobes by file and offset,
// consumers on each, and the question of 2024: how does a thread that hits a breakpoint keep
// the uprobe from being freed under it, without writing to a word that every other CPU
// writes to as well? The breakpoint instruction itself is not here: it costs the same
// whatever the answer. A variant is a [Policy].
//
// # A hit
//
//  1. Find the uprobe of the key: under the treelock, or without it, by the sequence
//     count of the tree (tree.go).
//  2. Pin it: by a reference, or by the section that was entered before 1.
//  3. Call its consumers: under the uprobe's register_rwsem, or in the section.
//  4. Put it. Who puts the last reference takes the uprobe out of the tree, and frees it,
//     at once or after a grace period.
//
// # Registration
//
// A consumer is put on its key's uprobe, which is made if there is none. Removal takes it
// off, and then waits for who may still be calling it: by the rwsem, or by a grace period
// ([Table.Sync]), which several removals can share ([Table.UnregisterNosync]).
//
// # Invariants
//
//   - B1: a hit on a key calls every consumer that is registered on it all the while, once.
//   - B2: after Unregister, or UnregisterNosync and Sync, the consumer is not called
//     again, and its memory may be freed.
//   - B3: nobody reads a uprobe that was freed.
//   - B4: a uprobe is destroyed once, and when no consumer and no hit holds it.
//   - B5: nothing leaks: when all consumers have gone, and after the grace periods, no
//     uprobe is in use. What returns an error has changed nothing.
//
// What the kernel's refcount_t, and KASAN, would say is counted: [Table.Warnings]. Any is a
// violation.
//
// # Schedule points
//
// "uprobe: pinned", between 2 and 3; "uprobe: consumer found", in 3, before each call;
// "uprobe: put to zero", between the last put and the lock; "uprobe: to be freed", when the
// grace period has been asked for; "uprobe: a branch is missing", in the middle of a rotation; "uprobe: missed while a
// writer is at the tree", where a lockless search tries again.
//
// The busted variants, up-U1 to up-U5 of docs/interleavings.md, break B3, B4 and B1.
//
// Package uprobe refuses a consumer that is registered already ([ErrExist]), one that is not
// ([ErrNotFound]), and one without a handler ([ErrInvalid]). It has no uretprobes, whose
// leases are why the merged code frees through SRCU first.
package uprobe
