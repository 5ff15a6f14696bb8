package probes

import (
	"sync/atomic"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/torture"
)

// reportWrong is what probe functions call that were called wrongly. They are plain code
// and can capture nothing.
var reportWrong atomic.Pointer[func(fn int, d *datum)]

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
	// SAFETY: these functions are registered with data of probeOf only. A wrong variant may
	// call them with that of an array's end, which is nil, or with dispatch.Poison's: a single
	// word, which is not torture.Alive.
	d := (*datum)(data)
	if d == nil || d.magic != torture.Alive {
		(*reportWrong.Load())(fn, d)
		return
	}
	now := *d // a wrong variant may free it while this function runs
	if now.owner != fn || !now.inUse() {
		wrong := now // only what is reported is allocated
		(*reportWrong.Load())(fn, &wrong)
		return
	}
	now.place.self.called(d, now.number)
}

// probeOf makes a probe of a function and a datum.
func probeOf(fn dispatch.Func, d *datum, prio int) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d), Prio: prio}
}
