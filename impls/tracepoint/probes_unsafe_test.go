package tracepoint

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A letter is the data of the probe function read.
type letter struct {
	text uint64 // written once, before the letter is registered
	read atomic.Uint64
}

// read reads the text, which another thread has written, without an atomic load.
func read(data unsafe.Pointer, _, _ uint64) {
	// SAFETY: it is registered with letters only.
	l := (*letter)(data)
	l.read.Store(l.text)
}

// letterProbe makes a probe that reads the letter.
func letterProbe(tb testing.TB, l *letter) dispatch.Probe {
	tb.Helper()
	fn, err := dispatch.GoFunc(read)
	judge.Check(tb, err)
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(l)}
}

// published returns the address of the array that a mapped site loads.
func published(s *dispatch.Site) uintptr {
	const immediate = 8 // of MOVQ $point, DI: see makeGate
	point := uintptr(binary.LittleEndian.Uint64(textpoke.Text(keyOf(s).PC()+immediate, 8)))
	// SAFETY: the site's point is a word that never moves and that the Site keeps.
	return atomic.LoadUintptr(*(**uintptr)(unsafe.Pointer(&point)))
}

// flag is a word in memory that mapped code can address.
func flag(tb testing.TB) (pc uintptr, word *atomic.Uint32) {
	tb.Helper()
	text, err := textpoke.Map(4)
	judge.Check(tb, err)
	// SAFETY: the mapping is aligned to a page and never goes away.
	p := unsafe.Pointer(unsafe.SliceData(text))
	return uintptr(p), (*atomic.Uint32)(p)
}
