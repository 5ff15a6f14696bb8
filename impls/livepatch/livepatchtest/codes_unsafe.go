package livepatchtest

import (
	"unsafe"

	"github.com/tpbench/tpbench/impls/livepatch"
)

// An errand is what every function of the kit is called with.
type errand struct {
	ran code
	do  func() // what the function does; nil for nothing
}

func call(t *livepatch.Task, f *livepatch.Function, e *errand) {
	t.Call(f, unsafe.Pointer(e), 1)
}

func ran(c code, data unsafe.Pointer) {
	// SAFETY: the kit calls its functions by call alone.
	e := (*errand)(data)
	e.ran = c
	if e.do != nil {
		e.do()
	}
}

// codes are the versions of each function, the original first. They differ only in what
// they are.
var codes = [functions][patches + 1]func(data unsafe.Pointer, a, b uint64){
	{
		func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 0}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 1}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 2}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 3}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 4}, data) },
	},
	{
		func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 0}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 1}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 2}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 3}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 4}, data) },
	},
	{
		func(data unsafe.Pointer, _, _ uint64) { ran(code{2, 0}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{2, 1}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{2, 2}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{2, 3}, data) },
		func(data unsafe.Pointer, _, _ uint64) { ran(code{2, 4}, data) },
	},
}
