// Package unregister removes probes when the smaller array cannot be allocated.
//
// Removal of a probe replaces the array of probes by a shorter one, which must be allocated.
// The callers that remove probes (the release of a file, of a BPF link) cannot handle an
// error: they free the probe's data anyway. So removal may not fail. The variants are the ways
// that were tried between November 2020 and February 2021. A variant is a [Policy]: how an
// array grows, and how it shrinks. The rest is one engine, a [Point].
//
// # Words
//
//   - A Point is one tracepoint: a site and its array of probes (tp->funcs).
//   - A probe is a function, its data and a priority; an entry is a probe in an array.
//   - A dead entry stands where a probe was removed without memory. Its function is a
//     stub, which does nothing, or the sentinel, which the iterator skips.
//   - The iterator walks the array and calls every probe. A reader is a thread in it.
//   - To release an array is to free it after a grace period (package rcu), when no reader
//     walks it any more.
//   - A busted variant breaks an invariant on purpose, so that tests can show that they
//     notice.
//
// # The protocol
//
//  1. Register and Unregister hold the Point's lock from beginning to end. They compute the
//     new list of probes from the array in force, without its dead entries.
//  2. The policy brings that list about: usually in a new array, which it publishes, and it
//     releases the old one. So dead entries disappear with the next change that finds memory.
//  3. Removal of the last probe needs no array: key off, NULL published, old array
//     released. Dead entries do not count as probes.
//  4. A reader loads tp->funcs and walks that array until its read section ends: function,
//     data, call, next entry. An entry may die meanwhile.
//
// A policy that writes to the array in force changes it under its readers. Only one such
// store is right: a function is replaced by one that can be called instead, or skipped. It is
// one word and an atomic store, whose partner is the iterator's load of Entry_Fn
// (impls/dispatch/iter_amd64.s). The reader loads function and data separately, in this order.
// So the data must stay: a reader that loaded the function before it was replaced loads the
// data after that. The kernel also uses the data to see that the first entry has changed.
//
// # Iterators only
//
// The sites of this package call the iterator, and never a probe directly. So this package
// needs none of the steps that keep function and data of a static call together (package
// tracepoint). The variant that was merged needs none either when memory is short: it changes
// neither static call nor array, and the iterator calls the probe beside a stub until
// the next change. The array and what happens to it are the same.
//
// # Invariants
//
//   - M1: after Unregister and a grace period the probe is not called again, its data
//     may be freed, and nothing reads an array that was released.
//   - M2: between Register's return and Unregister's call, each firing calls the probe
//     exactly once, in order of priority, equal priorities in order of registration.
//   - M3: no probe is called with another's data.
//   - M4: Unregister of a registered probe succeeds with and without memory. Any other
//     operation that returns an error has changed nothing.
//   - M5: without probes the key is a NOP and no array is held. With probes one array is
//     held; released arrays are held until their grace period has ended.
//
// The busted variant fail breaks M4, and so M1 for callers that rely on it. double-array breaks
// M2 and M3. Package torture finds both; the tests replay un-A1 to un-A3 of
// docs/interleavings.md (build tag steps).
//
// Package unregister does not accept a probe without a function, or with a function that marks
// dead entries ([ErrInvalid]), the same function and data twice ([ErrExist]), and removal of a
// probe that is not registered ([ErrNotFound]).
package unregister
