package textpoke_test

import "unsafe"

// funcAt makes a func value for the code at pc. The code calls nothing that is known to the
// runtime, so no unwinder meets its frame.
func funcAt(pc uintptr) func() uint64 {
	object := &pc
	// SAFETY: a func value is a pointer to an object whose first word is the address
	// of the code; the object is on the heap and the func value keeps it there.
	return *(*func() uint64)(unsafe.Pointer(&object))
}

func addressOf(text []byte) uintptr {
	// SAFETY: text is a mapping of package textpoke, which never moves.
	return uintptr(unsafe.Pointer(unsafe.SliceData(text)))
}
