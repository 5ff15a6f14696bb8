package torture

import (
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
)

// acts are what Go functions may do, as probes.
var acts = [...]func(unsafe.Pointer, uint64, uint64){
	actAllocate, actGrow, actPanic, actUnwind, actYield, actSleep,
}

// probeOfActor makes a probe of the actor's act.
func probeOfActor(a *actor, prio int) (dispatch.Probe, error) {
	fn, err := dispatch.GoFunc(acts[a.act])
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(a), Prio: prio}, err
}

// actorOf is its inverse.
func actorOf(p dispatch.Probe) *actor {
	// SAFETY: p is of probeOfActor.
	return (*actor)(p.Data)
}

// enter is how an act begins: by finding out with whose data it was called.
func enter(act int, data unsafe.Pointer) *actor {
	// SAFETY: acts are registered with data of probeOfActor only. A late call may find
	// the word of dispatch.Poison, or freed memory that the runtime has clobbered.
	a := (*actor)(data)
	if a.magic != aliveMagic {
		panic(brokenError("T2: an act was called with data that is gone"))
	}
	if a.act != act {
		panic(brokenError("T1: an act was called with another's data"))
	}
	a.stage.calls[act]++
	return a
}

func actAllocate(data unsafe.Pointer, a, b uint64) {
	s := enter(0, data).stage
	s.junk = make([]byte, 1<<15)
	for i := range s.junk {
		s.junk[i] = byte(i)
	}
	sum := 0
	for _, c := range s.junk {
		sum += int(c)
	}
	if want := len(s.junk) / 256 * (255 * 256 / 2); sum != want {
		panic(brokenError("what a probe allocated changed"))
	}
}

func actGrow(data unsafe.Pointer, a, b uint64) {
	enter(1, data)
	if got := deep(500, a); got != a+500 {
		panic(brokenError("the stack's contents changed when it grew"))
	}
}

//go:noinline
func deep(n int, v uint64) uint64 {
	var room [256]byte
	room[n%len(room)] = byte(n)
	if n == 0 {
		return v
	}
	return deep(n-1, v) + uint64(room[n%len(room)]-byte(n)) + 1
}

func actPanic(data unsafe.Pointer, a, b uint64) {
	panic(enter(2, data))
}

func actUnwind(data unsafe.Pointer, a, b uint64) {
	enter(3, data)
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	var names []string
	for {
		frame, more := frames.Next()
		names = append(names, frame.Function)
		if !more {
			break
		}
	}
	if !isStack(names, "") {
		panic(brokenError("callers are " + strings.Join(names, " < ")))
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
