package dispatch

import (
	"sync/atomic"
	"unsafe"
)

// setFuncs stores the address of the first entry, or nil, with a full fence.
func (p *Point) setFuncs(funcs []Entry) {
	// SAFETY: the pointer is to a whole array with its terminator; it is typed
	// as the assembler reads it, and the garbage collector sees it as a pointer.
	atomic.StorePointer(&p.funcs, unsafe.Pointer(unsafe.SliceData(funcs)))
}

func addressOf(text []byte) uintptr {
	// SAFETY: text is a mapping of package textpoke, which never moves.
	return uintptr(unsafe.Pointer(unsafe.SliceData(text)))
}

func pointAddress(p *Point) uintptr {
	// SAFETY: p is in a heap slice, which does not move, and its Site holds it.
	return uintptr(unsafe.Pointer(p))
}

// codeOf returns the address of f's code and of its closure object.
func codeOf(f func(unsafe.Pointer, uint64, uint64)) (code, object uintptr) {
	// SAFETY: a func value is a pointer to an object whose first word is the
	// address of the code.
	p := *(**uintptr)(unsafe.Pointer(&f))
	return *p, uintptr(unsafe.Pointer(p))
}

func wordOf(data unsafe.Pointer) uint64 {
	// SAFETY: for an instruction, which the collector does not read; tp->funcs keeps the
	// pointer alive at least as long.
	return uint64(uintptr(data))
}
