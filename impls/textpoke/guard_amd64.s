//go:build linux

#include "go_asm.h"
#include "textflag.h"
#include "hold_amd64.h"

// trapIfPatching<> stands in front of the trap handler once a patcher with a flag has
// been used: deliberately wrong, see flagGuarded. It clobbers nothing but flags and
// AX, as befits one who hands a trap on.
TEXT trapIfPatching<>(SB), NOSPLIT|NOFRAME, $0-0
	HOLD
	CMPL ·patching(SB), $0
	JEQ  foreign
	JMP  ·trap(SB)
foreign:
	MOVQ ·previous(SB), AX
	JMP  AX

// func guardPC() uintptr
// Why assembler: a func value would give the address of an ABI wrapper.
TEXT ·guardPC(SB), NOSPLIT, $0-8
	LEAQ trapIfPatching<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET
