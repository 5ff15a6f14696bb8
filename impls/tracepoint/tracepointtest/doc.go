// Package tracepointtest is the conformance kit of strategies: what every one of them
// must do when nothing else happens at the time, through the exported interface alone.
//
//  1. [Run] takes a strategy from tracepoint.Variants() and a flavour. Package
//     tracepoint's own tests run it for all of them, so that a new strategy gets it by
//     being listed.
//  2. Every registration and every removal, whichever case it is part of, is compared
//     with a model: the error (T5), what firing calls and in which order (T3), and
//     whether the key is a NOP (T4).
//  3. A case that fails says what that would mean, and the last things it did.
//
// Busted strategies pass as well. Each of them breaks only under a reader that is in the
// site while something changes, and package tracepointtest refuses to judge that: it
// is for replay and for package torture.
package tracepointtest
