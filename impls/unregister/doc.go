// Package unregister removes probes when the smaller array cannot be allocated.
//
// Removal of a probe replaces the array of probes by a shorter one, which has to be
// allocated. Those who remove (the release of a file, of a BPF link) have nobody to
// tell that there was no memory, and free the probe's data all the same. So removal may
// not fail, and the variants are the ways that were tried between November 2020 and
// February 2021 to keep it from failing. A variant is a [Policy]: how an array is added
// to, and how it is removed from. All else is one engine, a [Point].
//
// # The protocol
//
//  1. Register and Unregister hold the Point's lock throughout. They compute the probes
//     there are to be from those in force; dead entries, which stand where a probe was
//     removed without memory, do not count.
//  2. The policy brings them about: usually in a new array, which is published and the
//     old one released, that is, freed after a grace period by the flavour's deferred call.
//     This is also how dead entries go: at the next change that finds memory.
//  3. Removal of the last probe needs no array: key off, NULL published, old array
//     released. That the others are dead does not matter.
//  4. A reader loads tp->funcs and walks what it found, for as long as its section
//     lasts: function, data, call, next. It may see an entry die under it.
//
// What policies do in place, readers see in the middle of their walk. The only store of
// the kind that is right is of an entry's function, by something that can be called, or
// skipped, instead: one word, an atomic store, whose partner is the iterator's load of
// Entry_Fn (impls/dispatch/iter_amd64.s). Function and data are two loads of the reader,
// in this order, so data has to stay what it was: who loaded the function before
// it died loads the data after that. The data also tells the kernel's static call
// that the first entry has changed since.
//
// # Iterators only
//
// The sites of this package call the iterator, and never a probe directly, so the steps
// of package tracepoint's strategies that keep function and data of a static call together
// have no place here. The merged variant needs none of them where memory is short: it
// touches neither static call nor array, and a probe beside a stub goes on to be called
// by the iterator until the next change. What readers walk, and what happens to it under
// them, is the same.
//
// # Invariants
//
//   - M1: after Unregister and a grace period the probe is not called again, its data
//     may be freed, and nothing reads an array that was released.
//   - M2: between Register's return and Unregister's call, each firing calls the probe
//     exactly once, in order of priority, equal priorities in order of registration.
//   - M3: no probe is called with another's data.
//   - M4: Unregister of a registered probe succeeds whatever the memory. Anything else that
//     returns an error has changed nothing.
//   - M5: with no probe the key is a NOP and no array is held. Otherwise one is; others
//     are held until the grace period after their release, and then they are not.
//
// The busted variants break M4, and with it M1 for those who trust it (fail), and
// M2 and M3 (double-array). Package torture catches them; un-A1 to un-A3 of
// docs/interleavings.md are replayed with the build tag steps.
//
// Package unregister refuses a probe without a function, or with what marks dead entries
// in some variant ([ErrInvalid]), the same function and data twice ([ErrExist]), and removal
// of what is not there ([ErrNotFound]).
package unregister
