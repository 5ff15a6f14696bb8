package livepatch_test

import (
	"unsafe"

	"github.com/tpbench/tpbench/impls/livepatch"
)

// An errand is the argument of every call of a test function.
type errand struct {
	ran code   // what the call ran; freed if it ran a freed func
	do  func() // what the function does, or nil
}

var freed = code{-1, -1}

// call has the task call the function and returns the code that ran.
func call(t *livepatch.Task, f *livepatch.Function, do func()) (ran code) {
	e := &errand{ran: freed, do: do}
	t.Call(f, unsafe.Pointer(e), 1)
	return e.ran
}

func ran(c code, data unsafe.Pointer) {
	// SAFETY: test functions are called by call alone.
	e := (*errand)(data)
	e.ran = c
	if e.do != nil {
		e.do()
	}
}

// codes are the versions of each function that a model or a script has. They differ only in the code
// that they report.
var codes = map[code]func(data unsafe.Pointer, a, b uint64){
	{0, 0}: func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 0}, data) },
	{0, 1}: func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 1}, data) },
	{0, 2}: func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 2}, data) },
	{0, 3}: func(data unsafe.Pointer, _, _ uint64) { ran(code{0, 3}, data) },
	{1, 0}: func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 0}, data) },
	{1, 1}: func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 1}, data) },
	{1, 2}: func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 2}, data) },
	{1, 3}: func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 3}, data) },
	{1, 4}: func(data unsafe.Pointer, _, _ uint64) { ran(code{1, 4}, data) },
	{2, 0}: func(data unsafe.Pointer, _, _ uint64) { ran(code{2, 0}, data) },
	{2, 3}: func(data unsafe.Pointer, _, _ uint64) { ran(code{2, 3}, data) },
}
