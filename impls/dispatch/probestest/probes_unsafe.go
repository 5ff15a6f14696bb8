package probestest

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// A Datum is what every probe has as its data, or nil.
type Datum struct {
	Name string
	Do   func() // what else the probe does; nil for nothing
}

// Calls is what the probe functions note. One thread at a time fires.
var Calls []Firing

// A Firing is one call of a probe: of that function, with that data.
type Firing struct {
	Fn   int
	Data *Datum
}

func (f Firing) String() string {
	if f.Data == nil {
		return fmt.Sprintf("f%d(nil)", f.Fn)
	}
	return fmt.Sprintf("f%d(%s)", f.Fn, f.Data.Name)
}

func called(fn int, data unsafe.Pointer) {
	// SAFETY: Probe registers these functions with *Datum only.
	d := (*Datum)(data)
	Calls = append(Calls, Firing{fn, d})
	if d != nil && d.Do != nil {
		d.Do()
	}
}

// The probe functions, which differ only in what they are.
var functions = [...]func(data unsafe.Pointer, a, b uint64){
	func(data unsafe.Pointer, _, _ uint64) { called(0, data) },
	func(data unsafe.Pointer, _, _ uint64) { called(1, data) },
	func(data unsafe.Pointer, _, _ uint64) { called(2, data) },
	func(data unsafe.Pointer, _, _ uint64) { called(3, data) },
	func(data unsafe.Pointer, _, _ uint64) { called(4, data) },
}

// Funcs returns the first n probe functions, at most five.
func Funcs(tb testing.TB, n int) []dispatch.Func {
	tb.Helper()
	var list []dispatch.Func
	for _, f := range functions[:n] {
		fn, err := dispatch.GoFunc(f)
		judge.Check(tb, err)
		list = append(list, fn)
	}
	return list
}

// Probe makes a probe of the function and data.
func Probe(fn dispatch.Func, d *Datum, prio int) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d), Prio: prio}
}

// FiringOf is what calling a probe of one of fns notes.
func FiringOf(fns []dispatch.Func, p dispatch.Probe) Firing {
	// SAFETY: only Probe's probes are asked.
	return Firing{slices.Index(fns, p.Fn), (*Datum)(p.Data)}
}

// CallsOf is what calling the probes in turn notes.
func CallsOf(fns []dispatch.Func, probes []dispatch.Probe) []Firing {
	var list []Firing
	for _, p := range probes {
		list = append(list, FiringOf(fns, p))
	}
	return list
}
