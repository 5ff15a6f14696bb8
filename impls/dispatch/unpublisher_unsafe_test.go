package dispatch

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// grow needs more stack than a goroutine has at its start, in every call.
//
//go:noinline
func grow(depth int) int {
	var frame [256]int
	if depth == 0 {
		return 0
	}
	frame[depth%len(frame)] = depth
	return grow(depth-1) + frame[depth%len(frame)] - depth
}

// unpublishers holds what unpublisher has made, by iterator. Mapped code is never freed.
var unpublishers = map[uintptr]uintptr{}

// unpublisher returns code to which a static call may go. It stores NULL to tp->funcs, whose
// address a site leaves in DI, and jumps to the iterator. So it does what an updater does in
// D4, between the site's load of tp->funcs and the iterator's.
//
//	MOVQ $0, (DI)
//	JMP  iterator
func unpublisher(tb testing.TB, iterator uintptr) uintptr {
	tb.Helper()
	if pc := unpublishers[iterator]; pc != 0 {
		return pc
	}
	code, err := textpoke.Map(12)
	judge.Check(tb, err)
	// SAFETY: the mapping never moves and never goes away.
	pc := uintptr(unsafe.Pointer(unsafe.SliceData(code)))
	copy(code, []byte{0x48, 0xC7, 0x07, 0, 0, 0, 0, 0xE9})
	binary.LittleEndian.PutUint32(code[8:], uint32(iterator-(pc+12)))
	unpublishers[iterator] = pc
	return pc
}
