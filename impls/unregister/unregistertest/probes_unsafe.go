package unregistertest

import (
	"fmt"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
)

// A datum is what every probe of the kit has as its data, or nil.
type datum struct {
	name string
	do   func() // what else the probe does; nil for nothing
}

// calls is what the probe functions note. One thread at a time fires.
var calls []firing

// A firing is one call of a probe.
type firing struct {
	fn   int
	data *datum
}

func (f firing) String() string {
	if f.data == nil {
		return fmt.Sprintf("f%d(nil)", f.fn)
	}
	return fmt.Sprintf("f%d(%s)", f.fn, f.data.name)
}

func called(fn int, data unsafe.Pointer) {
	// SAFETY: the kit registers its functions with *datum only.
	d := (*datum)(data)
	calls = append(calls, firing{fn, d})
	if d != nil && d.do != nil {
		d.do()
	}
}

// The probe functions, which differ only in what they are.
var functions = [...]func(data unsafe.Pointer, a, b uint64){
	func(data unsafe.Pointer, _, _ uint64) { called(0, data) },
	func(data unsafe.Pointer, _, _ uint64) { called(1, data) },
	func(data unsafe.Pointer, _, _ uint64) { called(2, data) },
	func(data unsafe.Pointer, _, _ uint64) { called(3, data) },
}

// probe makes a probe of the function and data.
func probe(fn dispatch.Func, d *datum, prio int) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d), Prio: prio}
}

// dataOf is a probe's data.
func dataOf(p dispatch.Probe) *datum {
	// SAFETY: only probe's probes are asked.
	return (*datum)(p.Data)
}
