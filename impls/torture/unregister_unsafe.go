package torture

import (
	"sync/atomic"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
)

// removing is what the probes report to: they can capture nothing.
var removing atomic.Pointer[removals]

// payloadFuncs returns the addresses of probe functions that differ in the data they own.
func payloadFuncs() ([]dispatch.Func, error) {
	var list []dispatch.Func
	for _, g := range []func(unsafe.Pointer, uint64, uint64){g0, g1, g2, g3} {
		fn, err := dispatch.GoFunc(g)
		if err != nil {
			return nil, err
		}
		list = append(list, fn)
	}
	return list, nil
}

func g0(data unsafe.Pointer, _, _ uint64) { payloadCalled(0, data) }
func g1(data unsafe.Pointer, _, _ uint64) { payloadCalled(1, data) }
func g2(data unsafe.Pointer, _, _ uint64) { payloadCalled(2, data) }
func g3(data unsafe.Pointer, _, _ uint64) { payloadCalled(3, data) }

func payloadCalled(fn int, data unsafe.Pointer) {
	// SAFETY: these functions are registered with data of payloadProbe only. A wrong
	// variant may call them with that of an array's end, which is nil, or with
	// dispatch.Poison's, of which there is a word, and that is not alive.
	t := (*payload)(data)
	if t == nil || t.magic != aliveMagic || t.owner != fn {
		removing.Load().wrongCall(fn, t)
		return
	}
	t.target.called = append(t.target.called, t.number)
}

// payloadProbe makes a probe of a function and a datum.
func payloadProbe(fn dispatch.Func, t *payload, prio int) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(t), Prio: prio}
}
