package dispatch

import (
	"testing"
	"unsafe"
)

// funcPC returns the address of fireMapped. The site's func value has the address of its ABI
// wrapper, which calls it.
func funcPC(tb testing.TB, s *Site) uintptr {
	tb.Helper()
	// SAFETY: a func value is a pointer to the address of the code.
	wrapper := **(**uintptr)(unsafe.Pointer(&s.run))
	for _, l := range decode(tb, wrapper, 16) {
		if l.text == "call @" && l.target != wrapper {
			return l.target
		}
	}
	tb.Fatal("no call in the ABI wrapper of fireMapped")
	return 0
}
