//go:build linux

#include "go_asm.h"
#include "textflag.h"
#include "hold_amd64.h"

// Offsets into ucontext_t: the saved registers of the thread that trapped.
#define CTX_RSP 160
#define CTX_RIP 168

// trap is the process's handler of SIGTRAP. The kernel enters it on the thread's signal stack,
// with all signals blocked, and restores the registers after it, so it may clobber any.
//
// In: DI signal number, SI siginfo, DX ucontext. A foreign trap is one at no site: the handler
// that was there before gets it, with DI, SI and DX unchanged. Why assembler: a thread may
// trap anywhere, so this runs with no g and no Go stack.
TEXT ·trap(SB), NOSPLIT|NOFRAME, $0-0
	HOLD
	MOVQ CTX_RIP(DX), AX
	DECQ AX                   // the address of the int3, if it was one

	// Binary search for AX in the table's rows [BX, CX). A site's row was published before
	// its int3 was written (P3).
	MOVQ ·live(SB), R8        // pairs with Register's store
	TESTQ R8, R8
	JEQ  foreign
	MOVQ table_entries(R8), R9
	MOVQ table_n(R8), CX
	XORL BX, BX
search:
	CMPQ BX, CX
	JAE  foreign
	LEAQ (BX)(CX*1), R10
	SHRQ $1, R10
	MOVQ R10, R11
	SHLQ $4, R11              // entry__size is 16
	ADDQ R9, R11
	CMPQ AX, entry_pc(R11)
	JEQ  site
	JB   below
	LEAQ 1(R10), BX
	JMP  search
below:
	MOVQ R10, CX
	JMP  search

site:
	LOCK
	INCQ ·traps(SB)
	MOVQ entry_site(R11), R11
	MOVQ Site_insn(R11), R10  // kind and target in one load; pairs with writeInt3s' store
	MOVQ R10, CX
	SHRQ $const_kindShift, CX
	SHLQ $8, R10
	SHRQ $8, R10              // the target
	ADDQ $const_Size, AX      // the address after the site
	CMPQ CX, $const_kindJump
	JEQ  resume
	CMPQ CX, $const_kindCall
	JEQ  call
	MOVQ AX, R10              // nop
resume:
	MOVQ R10, CTX_RIP(DX)
	RET
call:
	// Push the return address onto the stack of the thread. Go code has no red
	// zone below its stack pointer.
	MOVQ CTX_RSP(DX), R8
	SUBQ $8, R8
	MOVQ AX, (R8)
	MOVQ R8, CTX_RSP(DX)
	JMP  resume

foreign:
	MOVQ ·previous(SB), AX
	JMP  AX                   // P4: to the handler that was there before, the runtime's

// func trapPC() uintptr
// Why assembler: a func value would give the address of an ABI wrapper.
TEXT ·trapPC(SB), NOSPLIT, $0-8
	LEAQ ·trap(SB), AX
	MOVQ AX, ret+0(FP)
	RET
