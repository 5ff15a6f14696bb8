// Package rcu holds engines for grace periods. They differ only in how a grace period ends.
//
// # Words
//
//   - Reader: a registered thread or goroutine that uses shared data ([Reader]).
//   - Section: what a reader does between [Reader.Lock] and the [Reader.Unlock] that matches it.
//     What it finds published there it may use until it leaves.
//   - Updater: a thread that replaces shared data and later reuses the old data.
//   - Unpublish: make the old data unreachable for sections that begin later.
//   - Grace period: it ends when every section that was open at its beginning has been left.
//   - Domain: one engine and the readers that it waits for.
//   - Flavour: one way to wait; each is a [Variant].
//   - Quiescent state: a moment at which a reader is in no section.
//   - Idle reader: one that called [Reader.EnterIdle]. Vanilla RCU (the kernel's plain RCU) does
//     not watch it: it takes an idle CPU for quiescent.
//   - Snapshot: a [State], a remembered moment. The kernel's word is cookie.
//   - Callback: a function that [Domain.Call] runs after a grace period.
//   - Busted: wrong on purpose, by one bug.
//
// # The protocol
//
// It is liburcu's, but a grace period changes the counter once where liburcu changes it twice:
// the counter that a reader copies is 48 bits wide and never returns to an old value.
//
//	CPU0, updater                          CPU1, reader
//	                                       copy:  c = domain.ctr
//	unpublish                              enter: reader.word = c    (plain store)
//	begin:   domain.ctr += gpUnit          load:  p = what is published
//	barrier                                use p
//	scan:    read each reader.word until   leave: reader.word -= 1   (plain store)
//	         it shows no section, or a
//	         section from after begin
//	reuse
//
// Why no reader uses p after reuse:
//
//  1. The updater's barrier acts as a full fence at some point M of CPU1's program. M lies
//     between the start and the end of the barrier. (The flavours whose readers execute no
//     fence use membarrier.)
//  2. If the reader's enter comes before M, the scan sees that store or a later one. It waits
//     for leave.
//  3. If enter comes after M, load comes after M too. So load sees unpublish and does not find
//     the old data.
//  4. If the scan finds a counter from after begin in a word, the reader's copy has read what
//     begin wrote. So load sees unpublish: x86 keeps stores in order, and loads in order.
//  5. Leave is a release and the scan's load an acquire without any instruction: x86 reorders
//     neither a load or store with a later store, nor loads with each other. So there is no
//     second barrier after the scan; liburcu has one for weaker machines.
//
// # Snapshots
//
// The counter of grace periods is the kernel's gp_seq: two low bits of state, the rest a
// count. [Domain.GetState] returns the value that the counter will have when the next whole
// grace period has ended. A grace period that is under way does not count: it may have looked
// at a reader before that reader entered.
//
// # Idle readers
//
// A reader between [Reader.EnterIdle] and [Reader.ExitIdle] can still enter sections. The
// flavours qsbr, memb, paced and kernelgp do not wait for these sections and so break G1 for
// them, as vanilla RCU does with an idle CPU. This is documented and no bug. Such readers need
// a flavour that waits for them ([Domain.WatchesIdle]): srcu, taskstrace, rude or chain.
//
// # Invariants
//
//   - G1: when a grace period that began after an updater's unpublish ends, no
//     reader is in a section that began before that unpublish.
//   - G2: a [State] polls true only after a whole grace period that began after
//     the state was taken.
//   - G3: a callback runs after a grace period that began after its [Domain.Call].
//   - G4: [Counters] are exact: one Waited or one Elided for every call that
//     might have waited, one Started for every grace period.
//   - G5: flavours that watch idle readers keep G1 for the sections of idle readers too. The
//     other flavours never wait for an idle reader.
//
// # Busted flavours
//
// A flavour is mainly three functions: the snapshot rule, the barrier, and the test that the
// scan makes of a reader. Flavours with SRCU have sections of another kind: see srcu.go. Each
// busted flavour is a sound one with one of these parts changed, and its file draws the race
// that this makes. snap-in-progress breaks G2, and through it G1 and G3; no-barrier, no-wait,
// rude-by-signal and srcu-one-sum break G1. Package torture must catch them. With the build
// tag steps, the package's tests replay those races that can be replayed.
//
// # Schedule points
//
// In the order in which a grace period passes them (see package step): "rcu: in line", where a
// caller waits for another's grace period; "rcu: under way", between the mark in gp_seq and
// begin; "rcu: begun", between begin and the barrier; "rcu: waits for a reader", in the scan.
// "rcu: index taken" is in a reader of SRCU, between copy and enter.
//
// Package rcu does not measure: it counts. A reader that leaves a section which it has not
// entered panics.
package rcu
