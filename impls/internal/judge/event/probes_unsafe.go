// Package event judges what a tracepoint does, for the tests of the families that register
// probes.
//
//   - A [Datum] is the data of a probe; the probe functions of [Funcs] note each call in
//     [Calls].
//   - A [Model] is the list of probes that a tracepoint should call.
//   - An [Event] is a tracepoint of a family beside its Model. Every operation on it is
//     compared with the Model: the error, the calls in their order, the key.
package event

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// A Datum is the data of a probe. A probe may also have none.
type Datum struct {
	Name  string
	Owner int    // the index of the only function that may be called with it, in tests that look
	Do    func() // what else the probe does; nil for nothing
}

// Calls is what the probe functions have noted. One thread at a time fires.
var Calls []Call

// A Call is one call of a probe function: its index in Funcs, and the data.
type Call struct {
	Fn   int
	Data *Datum
}

func (c Call) String() string {
	if c.Data == nil {
		return fmt.Sprintf("f%d(nil)", c.Fn)
	}
	return fmt.Sprintf("f%d(%s)", c.Fn, c.Data.Name)
}

func note(fn int, data unsafe.Pointer) {
	// SAFETY: Probe registers these functions with *Datum only.
	d := (*Datum)(data)
	Calls = append(Calls, Call{fn, d})
	if d != nil && d.Do != nil {
		d.Do()
	}
}

// The probe functions. They differ only in their index.
var functions = [...]func(data unsafe.Pointer, a, b uint64){
	func(data unsafe.Pointer, _, _ uint64) { note(0, data) },
	func(data unsafe.Pointer, _, _ uint64) { note(1, data) },
	func(data unsafe.Pointer, _, _ uint64) { note(2, data) },
	func(data unsafe.Pointer, _, _ uint64) { note(3, data) },
	func(data unsafe.Pointer, _, _ uint64) { note(4, data) },
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

// Probe makes a probe of a function and a datum, which may be nil.
func Probe(fn dispatch.Func, d *Datum, prio int) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d), Prio: prio}
}

// CallOf returns what a call of the probe notes. Its function is one of fns, or none.
func CallOf(fns []dispatch.Func, p dispatch.Probe) Call {
	// SAFETY: p is one of Probe's.
	return Call{slices.Index(fns, p.Fn), (*Datum)(p.Data)}
}

// CallsOf returns what calls of the probes, one after the other, note.
func CallsOf(fns []dispatch.Func, probes []dispatch.Probe) []Call {
	var list []Call
	for _, p := range probes {
		list = append(list, CallOf(fns, p))
	}
	return list
}
