// Package unregistertest is the conformance kit of ways to remove probes: what every one
// of them must do when nothing else happens at the time, through the exported interface
// alone.
//
//  1. [Run] takes a variant from unregister.Variants() and a flavour. Package
//     unregister's own tests run it for all of them, so that a new variant gets it by
//     being listed.
//  2. Every registration and every removal, with and without memory, is compared with a
//     model: the error (M4), what firing calls and in which order (M1, M2, M3), whether
//     the key is a NOP, and what is held (M5).
//  3. A case that fails says what that would mean, and the last things it did.
//
// The busted variant double-array passes as well: it breaks only under a reader that is
// in the array meanwhile, which is for replay and for package torture. The variant fail
// keeps everything but M4, and the kit asks that it break that. Package unregistertest
// refuses to know what an array holds: the tests of package unregister do.
package unregistertest
