// Package dispatchtest is the conformance kit of ways to dispatch: what every one of them
// must do, through the exported interface alone.
//
//  1. [Run] takes a variant from dispatch.Variants(). Package dispatch's own tests run
//     it for all of them, so that a new variant gets it by being listed.
//  2. A case passes a site of every kind there is: events in text and in mapped memory,
//     and the timed loops at all layouts.
//  3. Probes note how they were called. That is compared with what the site and the
//     array of probes say should have happened.
//  4. A case that fails says what that would mean for whoever traces.
//
// The variant that is busted, unchecked-iterator, keeps everything but D4, and the kit asks
// that it break that. Package dispatchtest refuses to look at instructions: the tests
// of package dispatch do.
package dispatchtest
