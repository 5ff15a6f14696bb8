// Package dispatch fires a site's probes: through the iterator, through a
// retpoline, or by a direct call that is patched into the site.
//
// A site is what the kernel's __DO_TRACE_CALL compiles to, in assembler:
//
//  1. A key, five bytes inline: a NOP while the tracepoint is off, so that the
//     disabled site costs nothing but its bytes; a JMP to the body when on.
//  2. The body, out of line: enter an RCU read section, load tp->funcs, load the
//     first probe's data, and
//  3. the static call, five bytes: CALL with that data and the site's arguments.
//     Its target is the one probe, or a thunk that loads that probe's data and jumps to
//     it, or the iterator, which reads tp->funcs again and calls every probe with its own
//     data.
//
// All variants run the same site. They differ only in where its static call goes
// with one probe, and in how the iterator calls: see [Dispatch]. The floors, which
// are no strategies, say what the parts cost: see [Floors].
//
// # Invariants
//
//   - D1: a probe is called with the arguments its site was passed with, as an
//     ordinary Go function: registers, spill room and unwinding included. [Open] tries it,
//     and refuses a Go release with which it does not hold.
//   - D2: a read section surrounds every load of tp->funcs and every probe; of flavours
//     whose sections are not the inline one, theirs around that.
//   - D3: the data that a direct call passes is the first entry's, read before the
//     call is fetched. That the call's target is that entry's function is not
//     promised here: it is what package tracepoint's strategies are about.
//   - D4: the iterator tolerates a tp->funcs that became NULL since the site saw it.
//     The variant unchecked-iterator, busted, does not.
//   - D5: a bound call passes the data of the registration that it was made for,
//     whatever the site has loaded (see [Dispatch.Target] and thunk.go).
//
// A probe that panics leaves its site's read section open: whoever recovers calls the
// reader's Unlock.
//
// Events beyond [TextSites] have another shape: mapped code must not call, so their
// read section stands around the key as well, and what they cost to pass is no
// strategy's figure.
//
// Builds with the tag steps, or with the race detector, call Go at three places of a site
// in text: with the data loaded, and in the iterator before and after it loads the
// array; and in thunks (hook_amd64.s). No other build has a trace of that.
//
// Package dispatch refuses functions that capture variables, and it never waits.
package dispatch
