// Package textpoketest is the conformance kit of ways to patch text: what every one of
// them must do, through the exported interface alone.
//
//  1. [Run] takes a variant from textpoke.Variants(). Package textpoke's own tests run
//     it for each sound one, so that a new variant gets it by being listed.
//  2. [Sites] are one site at each offset into a cache line, inside little functions
//     whose results tell what they executed.
//  3. What the sites are, what executing them returns, which changes are refused and what
//     is counted is compared with a model: a map from sites to instructions.
//  4. A case that fails says what that would mean for whoever patches.
//
// A busted patcher passes when nobody is in its way, and must not be run beside others:
// some leave the process unfit. Package textpoketest refuses to race: threads that
// execute what is being patched are package torture's, and interleavings replay's.
package textpoketest
