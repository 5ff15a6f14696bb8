package benches

import (
	"slices"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/tracepoint"
	"github.com/tpbench/tpbench/impls/unregister"
	"github.com/tpbench/tpbench/impls/uprobe"
)

// Benchmarks lists every benchmark, in the order of their tables.
func Benchmarks() []*Benchmark {
	return []*Benchmark{
		&dispatchBench,
		&bulkBench,
		&churnBench,
		&pingPongBench,
		&shrinkBench,
		&disturbBench,
		&unregisterBench,
		&stubbedBench,
		&tortureBench,
		&gracePeriodBench,
		&readSideBench,
		&pokeBench,
		&livepatchBench,
		&transitionBench,
		&uprobeHitBench,
		&uprobeRegisterBench,
		&kernelBulkBench,
		&kernelToggleBench,
		&kernelChurnBench,
		&kernelPerfCloseBench,
		&kernelGracePeriodBench,
		&kernelPatchBench,
		&kernelFireBench,
		&kernelUprobeHitBench,
		&kernelUprobeDetachBench,
	}
}

// Units lists the units that the Go benchmark format does not know, in alphabetical order,
// and says which direction is better. The harness adds "/op" to what an operation counts.
//
// A unit is exact if it follows from what a strategy does alone: all samples of a case are
// equal. gp-waits is not: where another thread has caused a grace period, a strategy waits
// for one less. Nor are the waits of a real kernel, where other programs are threads as well.
func Units() []harness.Unit {
	lower := func(name string) harness.Unit { return harness.Unit{Name: name, Better: "lower"} }
	higher := func(name string) harness.Unit { return harness.Unit{Name: name, Better: "higher"} }
	exact := func(u harness.Unit) harness.Unit { u.Exact = true; return u }
	return []harness.Unit{
		higher("Mhits/s"),               // million hits of uprobes a second, by all threads together
		exact(lower("bytes-compact")),   // of the array of probes after a registration that followed the removals
		exact(lower("bytes-held")),      // of the array of probes after removals
		exact(lower("core-syncs/op")),   // times that all CPUs were made to execute a serialising instruction
		higher("events"),                // that one operation on the running kernel changes
		higher("executions/op"),         // passes of a site, under torture
		exact(lower("ftrace-waits/op")), // waits of ftrace's own, when a function loses its last patch
		higher("gp-elided/op"),          // calls that would have waited, but a grace period had passed already
		lower("gp-waits/op"),            // calls that blocked for a grace period
		lower("holds/op"),               // threads that were held in a signal handler
		lower("inner-waits/op"),         // waits of other threads of the kernel meanwhile: those that end a grace period for the caller, and those of other programs
		lower("max-ns"),                 // the longest pass of a reader
		lower("mistakes/op"),            // 1 if torture broke the strategy
		lower("ns/event"),               // ns/op, divided by the events of a bulk change
		lower("ns/site"),                // ns/op, divided by the sites of a batch
		lower("ns/uprobe"),              // ns/op, divided by the uprobes of a batch
		lower("p50-ns"),                 // percentiles of a reader's passes
		lower("p90-ns"),                 // likewise
		lower("p99-ns"),                 // likewise
		lower("p99.9-ns"),               // likewise
		lower("rcu-waits/op"),           // those of gp-waits that were for the kernel's RCU
		exact(lower("refused/op")),      // removals that returned ErrNoMem
		lower("rude-waits/op"),          // those for RCU Tasks Rude
		lower("srcu-waits/op"),          // those for SRCU
		exact(higher("stores/op")),      // sites that one aligned store rewrote, without an int3
		lower("tasks-trace-waits/op"),   // those for RCU Tasks Trace
		lower("tasks-waits/op"),         // those for RCU Tasks
		higher("transitions/op"),        // changes of the number of probes, under torture
		lower("traps/op"),               // times that a thread ran into an int3
	}
}

// An Impl is a variant of any family, or a floor.
type Impl struct {
	Family, Name, Doc, Origin string
	Status                    impls.Status
	Err                       error // why it cannot run here, or nil
}

// The families whose members are not values of the key impl, or are neither sound nor
// busted.
const (
	FlavourFamily = "rcu"   // values of the key gp
	FloorFamily   = "floor" // timed loops that say what a part of a site costs
)

// Impls lists the variants of all families, strategies first.
func Impls() []Impl {
	var floors []Impl
	for _, f := range dispatch.Floors() {
		floors = append(floors, Impl{FloorFamily, f.Name, f.Doc, "no strategy: what a part costs", impls.Sound, dispatch.Open()})
	}
	return slices.Concat(
		describe("tracepoint", tracepoint.Variants()),
		describe("dispatch", dispatch.Variants()),
		floors,
		describe("livepatch", livepatch.Variants()),
		describe("textpoke", textpoke.Variants()),
		describe("unregister", unregister.Variants()),
		describe("uprobe", uprobe.Variants()),
		describe(FlavourFamily, rcu.Variants()),
	)
}

func describe[T any](family string, variants []impls.Variant[T]) []Impl {
	var list []Impl
	for _, v := range variants {
		list = append(list, Impl{family, v.Name, v.Doc, v.Origin, v.Status, v.Supported()})
	}
	return list
}

// DispatchOf names the dispatch that a strategy's sites use with one probe, for
// charts that set what firing costs against what switching costs.
func DispatchOf(strategy string) string {
	v, err := impls.Find("strategy", tracepoint.Variants(), strategy)
	if err != nil {
		return ""
	}
	for _, d := range dispatch.Variants() {
		if d.New == v.New.Dispatch {
			return d.Name
		}
	}
	return ""
}
