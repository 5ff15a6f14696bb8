package unregister

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// A datum is the data of every probe of these tests.
type datum struct {
	magic uint64 // alive, or poison
	owner int    // the index of the only function that may be called with it
}

const (
	alive  = 0x6c6976652d6f626a
	poison = 0x6b6b6b6b6b6b6b6b // the kernel's POISON_FREE
)

// seen is what the probe functions have noted. One thread at a time fires.
var seen []firing

// A firing is one call of a probe function, and a copy of its data at the time.
type firing struct {
	fn   int
	data datum
}

func (f firing) String() string {
	if f.data.magic != alive {
		return fmt.Sprintf("%c(freed)", 'A'+f.fn)
	}
	return fmt.Sprintf("%c(d_%c)", 'A'+f.fn, 'A'+f.data.owner)
}

func called(fn int, data unsafe.Pointer) {
	// SAFETY: these tests register their functions with *datum only. The entries of freed
	// arrays have dispatch.Poison's data, and another function.
	seen = append(seen, firing{fn, *(*datum)(data)})
	step.At("probe: called")
}

// The probe functions, A to D.
func fA(data unsafe.Pointer, _, _ uint64) { called(0, data) }
func fB(data unsafe.Pointer, _, _ uint64) { called(1, data) }
func fC(data unsafe.Pointer, _, _ uint64) { called(2, data) }
func fD(data unsafe.Pointer, _, _ uint64) { called(3, data) }

// functions returns the addresses of the probe functions.
func functions(tb testing.TB) []dispatch.Func {
	tb.Helper()
	var list []dispatch.Func
	for _, f := range []func(unsafe.Pointer, uint64, uint64){fA, fB, fC, fD} {
		fn, err := dispatch.GoFunc(f)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, fn)
	}
	return list
}

// probeOf makes a probe of a function and a datum.
func probeOf(fn dispatch.Func, d *datum) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d)}
}
