package dispatch

import (
	"encoding/binary"
	"testing"
	"unsafe"
)

// jumpTo writes MOVQ $point, DI; JMP target into code, which lies at pc.
func jumpTo(code []byte, pc, point, target uintptr) {
	copy(code, []byte{0x48, 0xBF})
	binary.LittleEndian.PutUint64(code[2:], uint64(point))
	code[10] = 0xE9
	binary.LittleEndian.PutUint32(code[11:], uint32(target-(pc+15)))
}

// funcPC returns the address of fireMapped's own text: its ABI wrapper, which the
// site's func value leads to, calls it.
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
