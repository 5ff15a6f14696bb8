package torture

import (
	"sync/atomic"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
)

// reported is the scene that probes report to: they can capture nothing.
var reported atomic.Pointer[scene]

// probeFuncs returns the addresses of probe functions that differ in the data they own.
func probeFuncs() ([]dispatch.Func, error) {
	var list []dispatch.Func
	for _, f := range []func(unsafe.Pointer, uint64, uint64){f0, f1, f2, f3} {
		fn, err := dispatch.GoFunc(f)
		if err != nil {
			return nil, err
		}
		list = append(list, fn)
	}
	return list, nil
}

func f0(data unsafe.Pointer, _, _ uint64) { called(0, data) }
func f1(data unsafe.Pointer, _, _ uint64) { called(1, data) }
func f2(data unsafe.Pointer, _, _ uint64) { called(2, data) }
func f3(data unsafe.Pointer, _, _ uint64) { called(3, data) }

func called(fn int, data unsafe.Pointer) {
	// SAFETY: these functions are registered with data of probeOf only. A wrong
	// strategy may call them with dispatch.Poison's, of which there is a word, and
	// that is not alive.
	d := (*datum)(data)
	if d.magic != aliveMagic || d.owner != fn {
		reported.Load().wrong(fn, d)
		return
	}
	d.event.calls++
	if d == d.event.watched {
		d.event.watchedCalls++
	}
}

// probeOf makes a probe of a function and a datum.
func probeOf(fn dispatch.Func, d *datum, prio int) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d), Prio: prio}
}
