package dispatch

import "github.com/tpbench/tpbench/impls"

// A Dispatch says where a site's static call goes.
type Dispatch struct {
	Direct    bool // with one probe, to the probe itself
	Bound     bool // with one probe, to a thunk that loads its data and jumps to it
	Retpoline bool // the iterator calls its probes through a retpoline
	Unchecked bool // the iterator does not check whether tp->funcs has become NULL: busted
	Sentinel  bool // the iterator skips entries whose Fn is Sentinel
}

// Iterator returns the address of the iterator.
func (d Dispatch) Iterator() uintptr {
	switch {
	case d.Unchecked:
		return machine.pcs.unchecked
	case d.Sentinel:
		return machine.pcs.sentinel
	case d.Retpoline:
		return machine.pcs.retpoline
	}
	return machine.pcs.traceiter
}

// A Target is where a static call goes, with the thunk that was made for it.
type Target struct {
	PC    uintptr
	thunk []byte // of package slab; nil if PC is in text
}

// Target returns where the static call is to go with the array funcs, which ends with a zero
// entry: with one probe to it or to its thunk, if Direct or Bound is set, and otherwise to
// the iterator. Only a thunk can return an error: it needs memory, and its jump must reach
// the function.
func (d Dispatch) Target(funcs []Entry) (Target, error) {
	switch {
	case len(funcs) != 2:
	case d.Bound:
		return bind(funcs[0])
	case d.Direct:
		return Target{PC: funcs[0].Fn}, nil
	}
	return Target{PC: d.Iterator()}, nil
}

// A Variant is one way to dispatch.
type Variant = impls.Variant[Dispatch]

// Variants lists the ways to dispatch.
func Variants() []Variant {
	list := []Variant{
		{Name: "indirect-iterator", Origin: "CONFIG_HAVE_STATIC_CALL=n", New: Dispatch{},
			Doc: "the site calls the iterator, which calls every probe indirectly"},
		{Name: "retpoline-iterator", Origin: "CONFIG_MITIGATION_RETPOLINE=y, CONFIG_HAVE_STATIC_CALL=n", New: Dispatch{Retpoline: true},
			Doc: "the same through a retpoline, as on CPUs that Spectre v2 afflicts"},
		{Name: "static-call", Origin: "d25e37d89dd2", New: Dispatch{Direct: true},
			Doc: "one probe: a direct call patched into the site; more: the iterator"},
		{Name: "bound-thunk", Origin: "ours", New: Dispatch{Bound: true},
			Doc: "one probe: a call to a thunk that loads the data and jumps; more: the iterator"},
		{Name: "unchecked-iterator", Origin: "d25e37d89dd2; fixed by c8b186a8d54d", Status: impls.Busted, New: Dispatch{Direct: true, Unchecked: true},
			Doc: "tp-V3: as static-call, but the iterator does not look whether tp->funcs became NULL"},
	}
	for i := range list {
		list[i].Check = Open
	}
	return list
}
