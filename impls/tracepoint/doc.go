// Package tracepoint registers and unregisters probes while sites fire.
//
// One engine, modelled on kernel/tracepoint.c, owns the array of probes, the lock
// and the release of old arrays. A strategy is a [Policy]: for each transition the
// list of steps to take, in order. Two strategies can be laid side by side and
// compared line by line; that is what the policies' files are for.
//
// # The hazard
//
// A site loads the first probe's data, and then executes its static call. The two
// are patched separately, so a reader can be held up in between:
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     R3 p = tp->funcs
//	                                     R4 d = p[0].data      // A's data
//	1->0 remove A
//	0->1 add B: static call = B
//	                                     R5 static call(d)     // B with A's data
//
// Switching to the iterator is always safe: it ignores d. It must come before the
// first entry changes. Switching to a concrete function needs a grace period since
// the first entry's data last differed from that function's.
//
// # Transitions
//
// Named by the length of the array before and after: 0->1, 1->2, N->N+1, N->N-1
// (to 2 or more), 2->1 (any to 1), 1->0 (any to 0). After the steps of any of them
// the old array is released: freed after a grace period, by the flavour's deferred
// call. Arrays come from a slab, so that whoever still walks a freed one finds poison and
// not, thanks to the collector, what it expected. The data of probes is not freed here:
// whoever unregistered a probe calls [Registry.Synchronize] before it frees that.
//
// # Ours
//
// The kernel's two snapshots are global: to disable one event and enable another that has
// nothing to do with it costs a grace period. tp-cond-sync remembers by tracepoint. batched
// takes all tracepoints of a bulk change ([Registry.Bulk]) through its steps side by side:
// one patch and at most one wait, however many. bound takes the hazard away: the static
// call goes to a thunk that brings the probe's own data, and R4 is of no account. The proof
// of each is in its file's head.
//
// # Invariants
//
//   - T1: no probe is ever called with another probe's data.
//   - T2: after Unregister and a grace period the probe is not called again, and
//     nothing reads the array it was in.
//   - T3: between Register's return and Unregister's call, each firing calls the
//     probe exactly once, in order of priority, equal priorities in order of
//     registration.
//   - T4: with no probe the key is a NOP.
//   - T5: Register, Unregister and Bulk either do the whole change or, with an error,
//     none of it.
//
// Busted strategies break T1 or T3 by one bug each, tp-V1 to tp-V8, which are historical, and tp-V10,
// but for direct-static-call, which has all that its time had. Package torture catches them,
// and the tests replay each by name (build tag steps).
//
// Package tracepoint refuses what the kernel refuses, as errors: a probe without a
// function ([ErrInvalid]), the same function and data twice ([ErrExist]), removal
// of what is not there ([ErrNotFound]; the kernel says so only of an empty
// tracepoint).
package tracepoint
