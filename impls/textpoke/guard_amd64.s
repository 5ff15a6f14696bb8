//go:build linux

#include "go_asm.h"
#include "textflag.h"
#include "hold_amd64.h"

// trapIfPatching<> comes before the trap handler once a patcher with a flag has been used. It
// is wrong on purpose: see flagGuarded. The next handler needs the registers as the kernel set
// them, so this clobbers only AX and the flags.
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
