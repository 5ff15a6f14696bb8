//go:build linux && amd64 && !purego

package clock

import (
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/arch/x86/x86asm"
)

// If this fails, a read of the counter lacks a fence, or has it in another place; no test that
// measures time would fail. It decodes the two functions from memory.
func TestCode(t *testing.T) {
	for _, tt := range []struct {
		name string
		read func() uint64
		want []x86asm.Op
	}{
		{"Start", Start, []x86asm.Op{x86asm.LFENCE, x86asm.RDTSC, x86asm.LFENCE, x86asm.SHL, x86asm.OR, x86asm.MOV, x86asm.RET}},
		{"Stop", Stop, []x86asm.Op{x86asm.RDTSCP, x86asm.LFENCE, x86asm.SHL, x86asm.OR, x86asm.MOV, x86asm.RET}},
	} {
		// A func value of an assembler function points to a wrapper for its calling
		// convention, whose first call is to the function.
		ops, call := decode(t, reflect.ValueOf(tt.read).Pointer(), x86asm.CALL)
		if call == 0 {
			t.Fatalf("%s: no call in the wrapper: %v", tt.name, ops)
		}
		if ops, _ = decode(t, call, x86asm.RET); !slices.Equal(ops, tt.want) {
			t.Errorf("%s is %v, want %v", tt.name, ops, tt.want)
		}
	}
}

// decode returns the operations from pc to the first one that is last, and the target of that
// one if it is a direct call.
func decode(t *testing.T, pc uintptr, last x86asm.Op) (ops []x86asm.Op, target uintptr) {
	t.Helper()
	for len(ops) < 32 {
		// SAFETY: pc is in a function of this binary. Its text is never unmapped, and has at
		// least 15 bytes behind any function of this package.
		code := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&pc))), 15)
		inst, err := x86asm.Decode(code, 64)
		if err != nil {
			t.Fatalf("at %#x: %v", pc, err)
		}
		ops = append(ops, inst.Op)
		pc += uintptr(inst.Len)
		if inst.Op == last {
			if rel, ok := inst.Args[0].(x86asm.Rel); ok {
				target = pc + uintptr(rel)
			}
			return ops, target
		}
	}
	t.Fatalf("no %v in %v", last, ops)
	return nil, 0
}
