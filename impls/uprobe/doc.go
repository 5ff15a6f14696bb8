// Package uprobe finds and frees breakpoints while threads hit them.
//
// It models the middle of kernel/events/uprobes.c. A thread that hits a breakpoint has to keep
// the uprobe from being freed meanwhile. If it writes to a word that every other CPU writes to
// as well, hits do not scale: that was the question of 2024. The breakpoint instruction is not
// here: it costs the same with every variant. A variant is a [Policy].
//
// # Words
//
//   - uprobe: a breakpoint at a [Key], an offset in a file, with a list of consumers.
//   - consumer: a handler that hits on its uprobe call.
//   - table: all uprobes. Its tree finds them by key; the treelock protects the tree.
//   - hit: a thread runs into a breakpoint. Updaters are the threads that register and remove
//     consumers.
//   - pin: keep a uprobe from being freed during a hit, by a reference or by a read section.
//   - read section: what a grace period of package rcu waits for.
//   - get, put: take a reference to a uprobe; give it back.
//   - last put: the one that takes the count of references to 0.
//   - dying: the count is 0, and the uprobe is still in the tree.
//   - epoch: a number that every get and every put increments, in one word with the count.
//   - destroy: claim a uprobe for freeing. Exactly one thread may.
//   - freed: given back to the slab, which overwrites it with poison.
//
// # A hit
//
//  1. Find the uprobe of the key, under the treelock or without it (tree.go).
//  2. Pin it. A read section is entered before step 1 instead.
//  3. Call its consumers, under the uprobe's rwsem or in the read section.
//  4. Put it. The last put removes the uprobe from the tree and frees it, at once or after a
//     grace period.
//
// # Registration
//
// [Table.Register] adds a consumer to the uprobe of its key, and makes the uprobe if there is
// none. [Table.Unregister] removes the consumer and waits for the hits that may still call it:
// by the rwsem, or by a grace period. Several removals share one grace period if they use
// [Table.UnregisterNosync] and then one [Table.Sync].
//
// # Invariants
//
//   - B1: a hit on a key calls every consumer that is registered throughout the hit, once.
//   - B2: after Unregister, or UnregisterNosync and Sync, no hit calls the consumer, and its
//     memory may be freed.
//   - B3: no thread reads a freed uprobe.
//   - B4: a uprobe is destroyed once, when no consumer and no hit holds it.
//   - B5: nothing leaks: when all consumers are removed and the grace periods are over, no
//     uprobe is in use. A call that returns an error has changed nothing.
//
// [Table.Warnings] counts what the kernel's refcount_t and KASAN would report. Each of them
// is a violation. The busted variants, each wrong on purpose by one race, up-U1 to up-U5 of docs/interleavings.md, break B1, B3
// and B4.
//
// # Schedule points
//
// Where a replay can stop a thread (package step):
//
//   - "uprobe: pinned", between steps 2 and 3;
//   - "uprobe: consumer found", in step 3, before each call;
//   - "uprobe: put to zero", between the last put and the treelock;
//   - "uprobe: to be freed", after Call, before the grace period ends;
//   - "uprobe: a branch is missing", in the middle of a rotation of the tree;
//   - "uprobe: missed while a writer changes the tree", where a search without the lock begins
//     again.
//
// Package uprobe returns an error for a consumer that is registered already ([ErrExist]),
// that is not registered ([ErrNotFound]), or that has no handler ([ErrInvalid]). It has no
// uretprobes; because of their leases the merged code frees through SRCU first.
package uprobe
