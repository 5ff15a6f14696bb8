// Package rcutest is the conformance kit of grace-period flavours: what every one of
// them must do, through the exported interface alone.
//
//  1. [Run] takes a flavour from rcu.Variants(). Package rcu's own tests run it for
//     each sound one, so that a new flavour gets it by being listed.
//  2. A case that fails says what that would mean for an updater.
//  3. Snapshots and counters are compared with a model, which knows the order of events
//     and nothing of how they are counted.
//
// Package rcutest refuses to time anything, and leaves rare interleavings to package
// torture and to replay.
package rcutest
