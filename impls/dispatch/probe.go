package dispatch

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"
)

// A Probe is what a tracepoint calls: Fn with Data and the site's two arguments.
// Higher Prio is called earlier.
type Probe struct {
	Fn   Func
	Data unsafe.Pointer
	Prio int
}

// A Func is the code address of a probe function, which takes (data, a, b) in the
// registers of Go's internal ABI. The zero Func is NULL.
type Func uintptr

// GoFunc makes a Func of an ordinary Go function. It refuses one that captures
// variables: a site has no register for them. What the function needs comes through
// its data, as in C.
//
// What data points to must stay reachable until a grace period after the probe was
// unregistered: the collector does not look into assembler frames.
func GoFunc(f func(data unsafe.Pointer, a, b uint64)) (Func, error) {
	if f == nil {
		return 0, fmt.Errorf("dispatch: a nil function cannot be a probe")
	}
	code, object := codeOf(f)
	static, err := inBinary(object)
	if err != nil {
		return 0, err
	}
	if !static {
		return 0, fmt.Errorf("dispatch: the probe function at %#x captures variables; pass them through its data", code)
	}
	return Func(code), nil
}

// inBinary reports whether addr is in this binary's image, where the compiler puts
// the objects of functions that capture nothing.
func inBinary(addr uintptr) (bool, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return false, fmt.Errorf("dispatch: telling functions from closures: %w", err)
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return false, fmt.Errorf("dispatch: telling functions from closures: %w", err)
	}
	for line := range strings.Lines(string(maps)) {
		if !strings.HasSuffix(strings.TrimSpace(line), exe) {
			continue
		}
		low, rest, _ := strings.Cut(line, "-")
		high, _, _ := strings.Cut(rest, " ")
		first, errLow := strconv.ParseUint(low, 16, 64)
		end, errHigh := strconv.ParseUint(high, 16, 64)
		if errLow == nil && errHigh == nil && uint64(addr) >= first && uint64(addr) < end {
			return true, nil
		}
	}
	return false, nil
}

// Nop returns the assembler probe that does nothing, for the tightest loops.
func Nop() Func { return Func(machine.pcs.probeNop) }

// Count returns the assembler probe that adds one to the 64-bit word its data
// points to. Only one thread at a time may fire it.
func Count() Func { return Func(machine.pcs.probeCount) }

// Stub returns the assembler probe that stands where one was removed without memory for
// another array. It does nothing, and it is nobody's probe.
func Stub() Func { return Func(machine.pcs.probeStub) }

// Sentinel, for the Fn of an entry, is skipped by the iterator that knows it
// ([Dispatch]).
const Sentinel Func = 1

// freedCalls is how often a probe of a freed array was called; probeFreed counts.
var freedCalls uint64

// freed is what the data of a freed array's entries points to: nobody's magic.
var freed = [8]uint64{0x6b6b6b6b6b6b6b6b}

// Poison is what an array is filled with when it is freed. Who still walks it calls a
// probe that counts ([FreedCalls]), and who still takes its first data takes
// 0x6b6b6b6b6b6b6b6b for its first word. Open must have succeeded.
func Poison() Entry {
	if machine.pcs.probeFreed == 0 {
		panic("dispatch: Poison before Open") // what it poisoned would look empty
	}
	return Entry{Fn: machine.pcs.probeFreed, Data: unsafe.Pointer(&freed), Prio: -1}
}

// FreedCalls is how often this process has walked into a freed array.
func FreedCalls() uint64 { return atomic.LoadUint64(&freedCalls) }
