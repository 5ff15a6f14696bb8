// Package livepatchtest is the conformance kit of livepatch's variants: what each of them
// must do when nothing happens at the same time, through the exported interface alone.
//
//  1. [Run] takes a variant from livepatch.Variants(). Package livepatch's own tests run
//     it for all of them.
//  2. One goroutine plays all tasks and the administrator. After each operation, whichever
//     case it is part of, everything is compared with a model: the error (K5), which
//     functions each task calls (K1), the tasks' sides (K2), what calls the handler and
//     what is allocated (K5), and that no handler warned or met poison (K2, K3).
//  3. A case that fails says what that would mean, and the last things it did.
//
// The busted variant passes as well: it breaks only under a handler that runs while
// something changes, and package livepatchtest refuses to judge that: it is for replay
// and for package torture.
package livepatchtest
