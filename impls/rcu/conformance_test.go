// The conformance tests, conformance*_test.go, are what every sound flavour must do, through the
// exported interface alone. A flavour is a variant: a way for grace periods to wait for readers.
// Snapshots and counters are compared with a model. These tests measure no time, and leave rare
// interleavings to package torture and to replay_test.go.
package rcu_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

type test = func(t *testing.T, d *rcu.Domain)

// If this fails, a sound flavour breaks a promise; the case says which.
func TestConformance(t *testing.T) {
	for _, v := range impls.OnlySound(rcu.Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, v.Supported(), "rcu", v.Name)
			lazily := func(lazy time.Duration) func(t *testing.T, test test) {
				return func(t *testing.T, test test) {
					d := v.New(rcu.Options{Lazy: lazy})
					defer d.Close()
					test(t, d)
				}
			}
			judge.Run(t, cases, lazily(rcu.OnlyBarrier))
			judge.Run(t, engineCases, lazily(time.Microsecond))
		})
	}
}

// cases count grace periods: the engine starts one only when it is asked to.
var cases = []judge.Case[test]{
	{
		Name:        "G1: waits for a reader",
		Explanation: "If Synchronize returned while a reader is in a section from before it, or took the end of an inner section for the end of the outermost, the updater would reuse what the reader still uses.",
		Test:        waitsForReader,
	},
	{
		Name:        "G1: waits for every reader",
		Explanation: "If a grace period looked at some readers only, the others would be overlooked.",
		Test:        waitsForEveryReader,
	},
	{
		Name:        "G1: does not wait for a later section",
		Explanation: "If a section entered after the grace period began could delay it, readers that come and go would delay it without end. The failure is a hang.",
		Test:        doesNotWaitForLater,
	},
	{
		Name:        "G1: does not wait for a reader that has gone",
		Explanation: "If grace periods waited for readers that have unregistered, they would never end. The failure is a hang.",
		Test:        doesNotWaitForGone,
	},
	{
		Name:        "G1: no reader sees poison",
		Explanation: "If a store that enters a section could still be in its CPU's store buffer when the grace period looks, the reader would be overlooked.",
		Test:        noReaderSeesPoison,
	},
	{
		Name:        "G2 G4: snapshots, counters and callbacks follow the model",
		Explanation: "If a state were satisfied by another grace period than by the kernel's rule, CondSync would return too early, or never elide a wait; if a counter missed a call or counted it twice, the benchmarks' grace periods per transition, which are the project's result, would be wrong.",
		Test:        followsModel,
	},
	{
		Name:        "G3: a callback waits for a whole grace period",
		Explanation: "If a callback ran at the end of a grace period that was under way when it was queued, it would free under a reader that this grace period need not wait for.",
		Test:        callbackWaitsForWhole,
	},
	{
		Name:        "G3: callbacks run in order, once",
		Explanation: "If callbacks ran in another order, twice or never, an updater's second callback could free what its first one still needs.",
		Test:        callbacksInOrder,
	},
	{
		Name:        "G3: Barrier waits for every caller",
		Explanation: "If Calls of many goroutines could lose a callback, or Barrier one queued before it, memory would leak.",
		Test:        barrierWaitsForCallers,
	},
	{
		Name:        "G3: Close runs what is queued",
		Explanation: "If Close did not run the queue, deferred memory would never be freed.",
		Test:        closeRunsQueue,
	},
	{
		Name:        "G3: StartPoll starts a grace period",
		Explanation: "If StartPoll only took a snapshot, its caller would poll without end, since nothing else starts a grace period here. The failure is a hang.",
		Test:        startPollStarts,
	},
	{
		Name:        "G5: an idle reader is waited for always or never",
		Explanation: "If a flavour that watches idle readers overlooked one, its updater would reuse what that reader still uses; if a flavour that models vanilla RCU did wait, tests would find nothing wrong where the kernel fails. The failure may be a hang.",
		Test:        idleReader,
	},
	{
		Name:        "G5: a reader that is no longer idle is watched again",
		Explanation: "If a reader were taken for idle after ExitIdle, its sections would be overlooked.",
		Test:        backFromIdle,
	},
	{
		Name:        "G1: a section may be left on another thread",
		Explanation: "If a section belonged to a thread and not to the Reader, one that sleeps and wakes on another thread would be lost. The failure may be a hang.",
		Test:        leftElsewhere,
	},
	{
		Name:        "G1: a section of SRCU may be left by another Reader",
		Explanation: "If the sums over all readers did not match when one Reader counts in and another counts out, a grace period would not wait, or never end.",
		Test:        leftByAnother,
	},
	{
		Name:        "misuse panics",
		Explanation: "If misuse did not panic, the next grace period would never end, or not wait at all.",
		Test:        misusePanics,
	},
}

// engineCases need an engine that starts grace periods by itself.
var engineCases = []judge.Case[test]{
	{
		Name:        "G3: the engine waits for a reader",
		Explanation: "If the engine ran callbacks without a grace period since the Call, a reader from before the Call would still be inside.",
		Test:        engineWaits,
	},
	{
		Name:        "G3: Barrier waits for a running callback",
		Explanation: "If Barrier looked at the queue alone, it would return while the engine is in the middle of a callback that it took from there.",
		Test:        barrierWaitsForRunning,
	},
}

// rounds returns n, or a tenth of it if a grace period takes a millisecond or more, or if each
// one goes through Go's scheduler, on one CPU.
func rounds(d *rcu.Domain, n int) int {
	began := time.Now()
	d.Synchronize()
	if time.Since(began) >= time.Millisecond || runtime.GOMAXPROCS(0) == 1 {
		return n / 10
	}
	return n
}
