package all_test

import (
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/torture"
)

// actions are what Go functions may do, as probes.
var actions = [...]func(unsafe.Pointer, uint64, uint64){
	actAllocate, actGrow, actPanic, actUnwind, actYield, actSleep,
}

// newDatum makes a probe of the action for the event, and its data.
func newDatum(e *event, action, prio int) (*datum, error) {
	fn, err := dispatch.GoFunc(actions[action])
	d := &datum{magic: torture.Alive, action: action, event: e}
	d.probe = dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d), Prio: prio}
	return d, err
}

// enter is how an action begins. It checks the data that the action was called with.
func enter(action int, data unsafe.Pointer) *datum {
	// SAFETY: actions are registered with data of newDatum only. A late call may find the word
	// of dispatch.Poison, or freed memory that the runtime has overwritten.
	d := (*datum)(data)
	if d.magic != torture.Alive {
		panic("T2: an action was called with freed data")
	}
	if d.action != action {
		panic("T1: an action was called with another's data")
	}
	d.event.calls++
	d.event.seen.Or(1 << action)
	return d
}

func actAllocate(data unsafe.Pointer, a, b uint64) {
	e := enter(0, data).event
	e.allocated = make([]byte, 1<<15)
	for i := range e.allocated {
		e.allocated[i] = byte(i)
	}
	for i, c := range e.allocated {
		if c != byte(i) {
			panic("what a probe allocated changed")
		}
	}
}

func actGrow(data unsafe.Pointer, a, b uint64) {
	enter(1, data)
	if got := judge.Deep(500, a); got != a+500 {
		panic("the stack's contents changed when it grew")
	}
}

func actPanic(data unsafe.Pointer, a, b uint64) {
	d := enter(2, data)
	d.event.panics++
	panic(d)
}

func actUnwind(data unsafe.Pointer, a, b uint64) {
	enter(3, data)
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	var names []string
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		names = append(names, frame.Function)
	}
	if !isStack(names, "") {
		panic("callers are " + strings.Join(names, " < "))
	}
}

func actYield(data unsafe.Pointer, a, b uint64) {
	enter(4, data)
	runtime.Gosched()
}

func actSleep(data unsafe.Pointer, a, b uint64) {
	enter(5, data)
	time.Sleep(50 * time.Microsecond)
}
