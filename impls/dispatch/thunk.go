package dispatch

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A thunk binds the function and the data of one probe, which a site otherwise loads from two
// places at two moments (its static call, and tp->funcs):
//
//	MOVQ $data, AX       overwrites the data loaded by the site
//	JMP  fn              a tail call: the probe returns to the site
//
// So one patch of the site's call changes both. No reader can pass between the two.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data      // A's data
//	static call = thunk of B
//	                                     call: static call(d)          // B with B's data
//
// A thunk is code, and a CPU that executes it must fetch the new bytes:
//
//  1. bind writes the bytes into a slot that no CPU executes: a new one, or one that was
//     freed after a grace period and has rested (package slab). The call of a site that is off
//     may still go to the slot. The next thunk of that site must have another slot
//     ([Site.LeadsTo]), since otherwise there is no patch for step 2.
//  2. The patch of the site's call ends with a sync of all cores, and it writes the call's
//     first byte only after two more syncs. So a CPU that fetches the new call has executed
//     a serialising instruction since step 1, and fetches the new thunk. (A CPU that traps
//     reaches the thunk by sigreturn, whose IRET serialises. It is not SYSRET, because RCX
//     holds the counter and not the address.)
//  3. Release comes after a grace period that began when the call went elsewhere: no reader
//     that could have passed the old call is in its section (rcu's G1).
//
// The collector does not see data in a thunk. It sees it in tp->funcs, which holds it at least
// as long.
const (
	thunkSize = 32      // bytes; two to a cache line
	thunkRoom = 1 << 20 // bytes mapped at a time
)

// thunks allocates them. A freed thunk calls what the entries of a freed array call.
var thunks = sync.OnceValue(func() *slab.Slab[byte] {
	var room []byte
	grow := func() ([]byte, error) {
		if len(room) == 0 {
			var err error
			if room, err = textpoke.Map(thunkRoom); err != nil {
				return nil, err
			}
		}
		slot := room[:thunkSize:thunkSize]
		room = room[thunkSize:]
		return slot, nil
	}
	p := Poison()
	code := append(loadR10(loadAX(nil, p.Data), p.Fn), 0x41, 0xFF, 0xE2) // JMP R10: the same bytes at any address
	return slab.Over(grow, pad(code)...)
})

// bind makes the thunk of one probe.
func bind(e Entry) (Target, error) {
	slot, err := thunks().Alloc()
	if err != nil {
		return Target{}, err
	}
	pc := addressOf(slot)
	code, to := throughHook(loadAX(nil, e.Data), e.Fn)
	rel := int64(to) - int64(pc) - int64(len(code)) - textpoke.Size
	if int64(int32(rel)) != rel {
		thunks().Free(slot)
		return Target{}, fmt.Errorf("dispatch: the function at %#x is out of the reach of its thunk at %#x", e.Fn, pc)
	}
	code = binary.LittleEndian.AppendUint32(append(code, 0xE9), uint32(rel)) // JMP to
	copy(slot, pad(code))
	if raceEnabled {
		bound.Add(1)
	}
	return Target{PC: pc, thunk: slot}, nil
}

// bound is for the race detector: what happens before bind also happens before what a probe
// does that is called through the thunk. See boundEntered.
var bound atomic.Uint64

// Release frees the target's thunk, if it has one. No static call goes to it, and a grace
// period has passed since one did.
func (t Target) Release() {
	if t.thunk != nil {
		thunks().Free(t.thunk)
	}
}

// Thunks returns how many thunks this process has in use. It is exported for tests: those of
// tracepoint and of torture check that no thunk leaks.
func Thunks() int {
	if Open() != nil {
		return 0
	}
	return thunks().InUse()
}

// loadAX appends MOVQ $data, AX.
func loadAX(code []byte, data unsafe.Pointer) []byte {
	return binary.LittleEndian.AppendUint64(append(code, 0x48, 0xB8), wordOf(data))
}

// loadR10 appends MOVQ $fn, R10.
func loadR10(code []byte, fn uintptr) []byte {
	return binary.LittleEndian.AppendUint64(append(code, 0x49, 0xBA), uint64(fn))
}

// pad appends int3s up to the size of a slot.
func pad(code []byte) []byte {
	return append(code, slices.Repeat([]byte{0xCC}, thunkSize-len(code))...)
}
