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

// A thunk binds one probe's function and data, which a site otherwise takes from two
// places at two moments (its static call, and tp->funcs):
//
//	MOVQ $data, AX       in place of what the site has loaded at R4
//	JMP  fn              a tail call: the probe returns to the site
//
// So one patch of the site's call changes both, and no reader can come between them.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data // A's data
//	static call = thunk of B
//	                                     call: static call(d)     // B with B's data
//
// Thunks are code, so their bytes must be there for whoever executes them:
//
//  1. bind writes the bytes into a slot that nobody executes: a fresh one, or one that
//     was freed after a grace period (package slab lets it rest, too). A site that is off
//     may still lead to it; its own next thunk must be in another ([Site.LeadsTo]), or
//     there would be no patch for 2.
//  2. The patch that makes a site call it ends with a sync of all cores, and writes the
//     call's first byte only after two more: whoever fetches the new call has executed a
//     serialising instruction since 1, and fetches the thunk as it is. (Who traps comes to
//     it by sigreturn, whose IRET serialises: it is no SYSRET, since RCX holds the counter
//     there and not the address.)
//  3. Release comes after a grace period that began when the call had gone elsewhere: no
//     section that could have passed the old call is left (rcu's G1).
//
// The collector does not see data in a thunk; it sees it in tp->funcs, which holds it at
// least as long.
const (
	thunkSize = 32      // bytes; two to a cache line
	thunkRoom = 1 << 20 // bytes mapped at a time
)

// thunks is where they come from. A freed one calls what a freed array's entries call.
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

// bound tells the race detector that what was done before bind happens before what a
// probe does that is called through the thunk: see boundEntered.
var bound atomic.Uint64

// Release frees what was made for the target. No site calls it any more, and a grace
// period has passed since. Of a target in text it does nothing.
func (t Target) Release() {
	if t.thunk != nil {
		thunks().Free(t.thunk)
	}
}

// Thunks is how many this process has in use.
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

// pad fills a slot up with int3s.
func pad(code []byte) []byte {
	return append(code, slices.Repeat([]byte{0xCC}, thunkSize-len(code))...)
}
