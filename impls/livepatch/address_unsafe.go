package livepatch

import "unsafe"

// handlerPC returns the address of the handler's code for Go's register calling convention,
// which the sites use.
func handlerPC() uintptr {
	f := handler
	// SAFETY: a func value is a pointer to an object whose first word is the
	// address of the code.
	return **(**uintptr)(unsafe.Pointer(&f))
}
