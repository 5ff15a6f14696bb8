// Package tracepoint registers and unregisters probes while readers pass sites.
//
// One engine, modelled on kernel/tracepoint.c, owns the array of probes, the lock and the
// release of old arrays. A strategy is a [Policy]: for each transition the list of steps to
// take, in order. Lay the files of two strategies side by side and compare them line by line.
//
// # Words
//
//   - A tracepoint is a named place in the code. An event is a tracepoint as its user sees it.
//   - A site is the tracepoint's instructions: a key (off or on) and a static call. Package
//     dispatch has them.
//   - A probe is a function, its data and a priority. The array (tp->funcs) holds a
//     tracepoint's probes.
//   - The iterator walks the array and calls every probe with its own data.
//   - A reader is a thread in a site. It loads the array, loads the first probe's data, and
//     calls: it executes the static call with that data. Diagrams name the three so.
//   - The updater is the thread that registers or unregisters a probe.
//   - A transition is a change of the number of probes. A step is one action of it.
//   - A flavour is an engine for grace periods (package rcu). A grace period waits for all
//     readers that were in a site when it began.
//   - A moment is a snapshot of the flavour's state. It has passed when a whole grace period
//     has begun and ended since.
//   - A busted strategy breaks an invariant on purpose, so that tests can show that they
//     notice.
//
// # The hazard
//
// The site's data and its static call are two words, which change separately. A reader can
// be delayed between its load of the one and its use of the other:
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load array: p = tp->funcs
//	                                     load data: d = p[0].data      // A's data
//	1->0 remove A
//	0->1 add B: static call = B
//	                                     call: static call(d)          // B with A's data
//
// A static call to the iterator is always right: the iterator ignores d. So the call must
// go to the iterator before the first entry changes. A static call to a probe's function is
// right once a grace period has passed since the first entry's data last differed from that
// probe's.
//
// # Transitions
//
// A transition is named by the number of probes before and after: 0->1, 1->2, N->N+1, N->N-1
// (to 2 or more), 2->1 (any to 1), 1->0 (any to 0). After its steps the old array is released:
// freed after a grace period, by the flavour's deferred call. Arrays come from a slab, so a
// reader that still walks a freed array finds poison. (Go's collector would keep what the
// reader expects.) The data of probes is not freed here. The caller of Unregister calls
// [Registry.Synchronize] before it frees the data.
//
// # Strategies of this project
//
// The kernel has two snapshots for all tracepoints: disabling one event and enabling another
// costs a grace period although no reader of the one can be in the other. tp-cond-sync has a
// snapshot for each tracepoint. batched takes all tracepoints of a bulk change
// ([Registry.Bulk]) through its steps together: one patch and at most one wait, however many
// events there are. bound removes the hazard: the static call goes to a thunk that loads the
// probe's own data, and the data loaded by the site is ignored. The proof of each is at the
// head of its file.
//
// # Invariants
//
//   - T1: no probe is ever called with another probe's data.
//   - T2: after Unregister and a grace period the probe is not called again, and
//     nothing reads the array it was in.
//   - T3: between Register's return and Unregister's call, each firing calls the
//     probe exactly once, in order of priority, equal priorities in order of
//     registration.
//   - T4: without probes the key is a NOP.
//   - T5: Register, Unregister and Bulk do the whole change, or return an error and do
//     none of it.
//
// Each busted strategy breaks T1 or T3 by the one race that its entry in [Variants] names
// (tp-V1 to tp-V10, docs/interleavings.md). direct-static-call has several: all that the
// kernel had when static calls were merged. Package torture finds them, and the tests replay
// each of them (build tag steps).
//
// Package tracepoint does not accept what the kernel does not: a probe without a function
// ([ErrInvalid]), the same function and data twice ([ErrExist]), removal of a probe that is
// not registered ([ErrNotFound]; the kernel returns it only for a tracepoint without probes).
package tracepoint
