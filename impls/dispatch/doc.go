// Package dispatch fires a site's probes: through the iterator, through a
// retpoline, or by a direct call that is patched into the site.
//
// # Words
//
//   - An event is a tracepoint: a named place in the code that can be switched on.
//   - A probe is a function that an event calls, with its own data and the site's two
//     arguments.
//   - A site is an event's instructions: a key and a static call.
//   - The key is five bytes: a NOP (off), or a JMP to the site's body (on).
//   - The static call is five bytes: a CALL whose target is patched.
//   - tp->funcs is a word of the event that points to its array of probes, or is NULL. Here it
//     is a [Point].
//   - The iterator walks that array and calls every probe with its own data.
//   - A thunk is a few instructions, made for one registration of a probe, that load its data
//     and jump to its function.
//   - A floor is a timed loop that is no strategy. It says what a part of one costs.
//   - A layout is one of four alignments at which a timed loop stands.
//
// # A site
//
// A site is what the kernel's __DO_TRACE_CALL compiles to, in assembler:
//
//  1. The key, inline. A site that is off costs its five bytes and nothing else.
//  2. The body, out of line. It enters an RCU read section, loads tp->funcs ("load array"),
//     and loads the first probe's data ("load data").
//  3. The static call, with that data and the site's arguments ("call"). Its target is the
//     one probe, or that probe's thunk, or the iterator, which loads tp->funcs again.
//
// All variants run the same site. They differ in where its static call goes when there is one
// probe, and in how the iterator calls: see [Dispatch].
//
// # Invariants
//
//   - D1: a probe is called with the arguments of its site, as an ordinary Go function:
//     registers, spill room and unwinding included. [Open] tries it, and returns an error with
//     a Go release where it does not hold.
//   - D2: a read section surrounds every load of tp->funcs and every probe. Flavours whose
//     sections are not the inline one have theirs around it.
//   - D3: the data that a direct call passes is the first entry's, loaded before the call is
//     fetched. Nothing here promises that the call's target is that entry's function: package
//     tracepoint's strategies do.
//   - D4: the iterator checks whether tp->funcs has become NULL since the site loaded it.
//     The busted variant unchecked-iterator does not.
//   - D5: a bound call passes the data of the registration that its thunk was made for. The
//     data loaded by the site is ignored (see [Dispatch.Target] and thunk.go).
//
// A probe that panics leaves its site's read section open: the caller that recovers calls the
// reader's Unlock.
//
// Events beyond [TextSites] have another shape. Their code is mapped at run time and must not
// call, so their read section stands around the key as well. Their cost is not that of a
// strategy.
//
// Builds with the tag steps, or with the race detector, call Go at places of a site in text:
// after it has loaded the data, in the iterator before and after it loads the array, and in
// thunks (hook_amd64.s). Other builds contain nothing of that.
//
// Package dispatch does not accept functions that capture variables, and it never waits.
package dispatch
