package livepatch

import "unsafe"

// handlerPC returns the address of the handler's code, in the calling convention that
// sites are written for.
func handlerPC() uintptr {
	f := handler
	// SAFETY: a func value is a pointer to an object whose first word is the
	// address of the code.
	return **(**uintptr)(unsafe.Pointer(&f))
}
