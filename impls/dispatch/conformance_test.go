package dispatch

import (
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If this fails, a way to dispatch breaks a promise. The case says which. Every case passes a
// site of every kind: events in text and in mapped memory, and the timed loops at all layouts.
//
// The busted variant, unchecked-iterator, keeps everything but D4, and a case expects that it
// breaks that.
func TestConformance(t *testing.T) {
	for _, v := range Variants() {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, v.Supported(), "dispatch", v.Name)
			judge.Run(t, cases, func(t *testing.T, test func(*testing.T, Dispatch, place)) {
				for _, p := range places(t) {
					t.Run(p.name, func(t *testing.T) { test(t, v.New, p) })
				}
			})
		})
	}
}

// cases begin with each place off, and turn it off at their end.
var cases = []judge.Case[func(t *testing.T, d Dispatch, p place)]{
	{
		Name:        "D1: arguments and order",
		Explanation: "If probes got wrong arguments, or were called too often, too rarely or in another order than the array's, a trace would show what did not happen.",
		Test:        argumentsAndOrder,
	},
	{
		Name:        "D1: what is published next is called next",
		Explanation: "If a site that is on kept its first array, probes that are registered later would never be called, and freed ones would.",
		Test:        publishedNext,
	},
	{
		Name:        "D1: a loop of several passes",
		Explanation: "If probes changed the counter of a loop, benchmarks would divide by a wrong number of passes.",
		Test:        severalPasses,
	},
	{
		Name:        "D1: probes are ordinary Go functions",
		Explanation: "If the runtime could not unwind a site when it moves a stack, collects garbage or panics, a probe could not do what Go functions do.",
		Test:        ordinaryGo,
	},
	{
		Name:        "D1: a probe that panics",
		Explanation: "If a panic could not cross a site, or left another number of sections open than one, the caller that recovers could not continue.",
		Test:        panics,
	},
	{
		Name:        "D2: sections nest",
		Explanation: "If a probe that fires another site ended its own section early, a grace period would not wait for the rest of it; if it left one open, grace periods would never end.",
		Test:        sectionsNest,
	},
	{
		Name:        "D2: a site without probes",
		Explanation: "If a site whose key is on and whose funcs are NULL left its section open, as in the middle of every 1->0, grace periods would never end.",
		Test:        noProbes,
	},
	{
		Name:        "D2: a grace period waits for a probe",
		Explanation: "If a grace period ended while a probe runs, the probe's data would be freed while it is used.",
		Test:        gracePeriodWaits,
	},
	{
		Name:        "D3 D5: whose data",
		Explanation: "If a call to the probe itself did not pass the data that the site has loaded, or a bound call did, the strategies' proofs would not hold.",
		Test:        whoseData,
	},
	{
		Name:        "D4: funcs become NULL after the site has loaded them",
		Explanation: "If the iterator walked a NULL array, a reader in the site while the last probe is removed would crash the process.",
		Test:        becomesNull,
	},
}
