package benches

import (
	"slices"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/kernel"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/tracepoint"
	"github.com/tpbench/tpbench/impls/unregister"
	"github.com/tpbench/tpbench/impls/uprobe"
)

// An Impl is a variant of any family, a floor, or the running kernel.
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
		[]Impl{{"kernel", kernel.Name, "its own events, through tracefs; only where it is named", "tracefs events/enable", impls.Sound, kernel.Check()}},
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
