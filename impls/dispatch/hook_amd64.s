//go:build linux && (steps || race)

#include "go_asm.h"
#include "funcdata.h"
#include "textflag.h"

// Hooks: calls of Go in the middle of a site. Replays of interleavings stop a thread there, and
// the race detector learns of loads that it cannot see. Only builds with the tag steps or with
// -race have them. They keep the site's registers: AX data, BX and CX arguments, DI tp, R9 the
// array, R12 the counter. NOSPLIT, since the prologue that grows a stack would lose them. The
// Go function may grow the stack, because none of these registers points into it.
#define KEEPING(call) \
	NO_LOCAL_POINTERS; \
	MOVQ AX, 8(SP); \
	MOVQ BX, 16(SP); \
	MOVQ CX, 24(SP); \
	MOVQ DI, 32(SP); \
	MOVQ R9, 40(SP); \
	MOVQ R12, 48(SP); \
	MOVQ DI, 0(SP); \
	CALL call(SB); \
	MOVQ 8(SP), AX; \
	MOVQ 16(SP), BX; \
	MOVQ 24(SP), CX; \
	MOVQ 32(SP), DI; \
	MOVQ 40(SP), R9; \
	MOVQ 48(SP), R12; \
	RET

// func hookData()
// Stands in place of LOADDATA's load, which it does.
TEXT ·hookData(SB), NOSPLIT, $56-0
	MOVQ Entry_Data(R9), AX
	KEEPING(·dataLoaded)

// func hookIterator()
TEXT ·hookIterator(SB), NOSPLIT, $56-0
	KEEPING(·iteratorEntered)

// func hookWalk()
TEXT ·hookWalk(SB), NOSPLIT, $56-0
	KEEPING(·arrayLoaded)

// func hookBound()
// Runs between a thunk and its probe, whose address is in R10. Its frame begins with the
// spill room that the probe may use.
TEXT ·hookBound(SB), NOSPLIT, $72-0
	NO_LOCAL_POINTERS
	MOVQ AX, 32(SP)
	MOVQ BX, 40(SP)
	MOVQ CX, 48(SP)
	MOVQ R10, 56(SP)
	MOVQ DI, 0(SP)
	CALL ·boundEntered(SB)
	MOVQ 32(SP), AX
	MOVQ 40(SP), BX
	MOVQ 48(SP), CX
	MOVQ 56(SP), R10
	CALL R10
	RET

// func hookAddress() uintptr
TEXT ·hookAddress(SB), NOSPLIT, $0-8
	LEAQ ·hookBound(SB), AX
	MOVQ AX, ret+0(FP)
	RET
