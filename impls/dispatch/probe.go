package dispatch

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"
)

// A Probe is called by a tracepoint: Fn with Data and the site's two arguments. A higher Prio
// is called earlier.
type Probe struct {
	Fn   Func
	Data unsafe.Pointer
	Prio int
}

// A Func is the code address of a probe function, which takes (data, a, b) in the
// registers of Go's internal ABI. The zero Func is NULL.
type Func uintptr

// GoFunc makes a Func of an ordinary Go function. It returns an error for a function that
// captures variables, since a site has no register for them. A probe gets what it needs
// through its data, as in C.
//
// The object that data points to must stay reachable until a grace period after the probe was
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

// inBinary reports whether addr is in this binary's image. The compiler puts the objects of
// functions there that capture nothing.
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

// Count returns the assembler probe that adds one to the 64-bit word that its data points to.
// Only one thread at a time may fire it. It is exported for tests: those of benches count with
// it how often a site fires.
func Count() Func { return Func(machine.pcs.probeCount) }

// Stub returns the assembler function that replaces a probe's when the probe is removed
// without memory for another array. It does nothing. No probe may have it.
func Stub() Func { return Func(machine.pcs.probeStub) }

// Sentinel is a value for the Fn of an entry that the iterator skips, if Dispatch.Sentinel is
// set.
const Sentinel Func = 1

// freedCalls counts the calls of probeFreed.
var freedCalls uint64

// freed is the data of a freed array's entries: poison.
var freed = [8]uint64{0x6b6b6b6b6b6b6b6b}

// Poison returns the entry that fills a freed array. A reader that still walks the array calls
// a function that counts the calls ([FreedCalls]). The first word of the entry's data is
// 0x6b6b6b6b6b6b6b6b. Open must have succeeded.
func Poison() Entry {
	if machine.pcs.probeFreed == 0 {
		panic("dispatch: Poison before Open") // an entry without a function would end the array
	}
	return Entry{Fn: machine.pcs.probeFreed, Data: unsafe.Pointer(&freed), Prio: -1}
}

// FreedCalls returns how often this process has called an entry of a freed array, or a freed
// thunk.
func FreedCalls() uint64 { return atomic.LoadUint64(&freedCalls) }
