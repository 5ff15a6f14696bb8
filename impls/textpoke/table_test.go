//go:build linux && amd64

package textpoke

import (
	"cmp"
	"reflect"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If this fails, Register accepts bytes that are no site, and patching destroys code; or it accepts
// sites that overlap, and two patches destroy each other; or an error has registered something.
func TestRegisterErrors(t *testing.T) {
	judge.Need(t, Check(), "textpoke")
	text, err := Map(64)
	judge.Check(t, err)
	base := reflect.ValueOf(text).Pointer()
	nop := bytesOf(nopCode)
	copy(text[0:], nop[:Size])
	copy(text[8:], nop[:Size])
	copy(text[16:], []byte{0x90, 0x90, 0x90, 0x90, 0x90})
	copy(text[24:], []byte{0xE8, 0xE8, 0, 0, 0, 0, 0}) // a CALL, and another one a byte later
	copy(text[40:], nop[:Size])
	_, err = Register([]uintptr{base + 40})
	judge.Check(t, err)
	for _, row := range []struct {
		name string
		pcs  []uintptr
	}{
		{"other bytes", []uintptr{base + 16}},
		{"other bytes after a good one", []uintptr{base, base + 16}},
		{"twice in one call", []uintptr{base, base}},
		{"overlap in one call", []uintptr{base + 25, base + 24}},
		{"registered before", []uintptr{base + 40}},
		{"a good one and one registered before", []uintptr{base, base + 40}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := live.Load()
			got, err := Register(row.pcs)
			if err == nil || got != nil {
				t.Errorf("registered as %v, %v", got, err)
			}
			if live.Load() != before || len(rows) != int(before.n) {
				t.Error("the table has changed")
			}
		})
	}
	// The good ones are still free, in any order.
	got, err := Register([]uintptr{base + 8, base})
	judge.Check(t, err)
	if got[0].PC() != base+8 || got[1].PC() != base || got[0].Insn() != Nop {
		t.Errorf("registered %#x %#x", got[0].PC(), got[1].PC())
	}
	if !slices.IsSortedFunc(rows, func(a, b entry) int { return cmp.Compare(a.pc, b.pc) }) {
		t.Error("the table is not sorted, and the handler searches it by halves")
	}
}
