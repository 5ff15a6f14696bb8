//go:build linux

#include "go_asm.h"
#include "textflag.h"

#define SYS_gettid 186
#define SYS_futex 202
#define FUTEX_WAIT_PRIVATE 128

// park is the process's handler of parkSignal. The kernel enters it on the thread's signal
// stack, with all signals blocked, and restores the registers after it, so it may clobber any.
// Why assembler: as trap, it runs with no g and no Go stack.
//
// The thread counts itself in, stores its number in tids, sleeps until hold is 0, and counts
// itself out.
TEXT ·park(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $SYS_gettid, AX
	SYSCALL
	MOVL $1, BX
	LOCK
	XADDL BX, ·stop+stopState_arrived(SB)
	ANDL $(const_mostThreads-1), BX
	LEAQ ·stop+stopState_tids(SB), CX
	MOVL AX, (CX)(BX*4)
parked:
	MOVL ·stop+stopState_hold(SB), AX
	TESTL AX, AX
	JEQ  go
	LEAQ ·stop+stopState_hold(SB), DI
	MOVL $FUTEX_WAIT_PRIVATE, SI
	MOVL $1, DX
	XORL R10, R10             // no timeout
	MOVL $SYS_futex, AX
	SYSCALL
	JMP  parked
go:
	LEAQ ·stop+stopState_tids(SB), CX
	MOVL $0, (CX)(BX*4)       // or the next thread with this entry would be taken for this one
	LOCK
	INCL ·stop+stopState_left(SB)
	RET

// func parkPC() uintptr
// Why assembler: a func value would give the address of an ABI wrapper.
TEXT ·parkPC(SB), NOSPLIT, $0-8
	LEAQ ·park(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func rawSyscall(nr, a, b, c, d uintptr) uintptr
// Why assembler: the functions of syscall and x/sys have frames and race annotations, which
// its callers may not use.
TEXT ·rawSyscall(SB), NOSPLIT, $0-48
	MOVQ nr+0(FP), AX
	MOVQ a+8(FP), DI
	MOVQ b+16(FP), SI
	MOVQ c+24(FP), DX
	MOVQ d+32(FP), R10
	XORL R8, R8
	XORL R9, R9
	SYSCALL
	MOVQ AX, ret+40(FP)
	RET

// func load(p *uint32) uint32
// Why assembler: with the race detector, sync/atomic's function would call the detector.
TEXT ·load(SB), NOSPLIT, $0-12
	MOVQ p+0(FP), AX
	MOVL (AX), AX
	MOVL AX, ret+8(FP)
	RET

// func store(p *uint32, v uint32)
// A full fence, as sync/atomic's.
TEXT ·store(SB), NOSPLIT, $0-12
	MOVQ p+0(FP), AX
	MOVL v+8(FP), BX
	XCHGL BX, (AX)
	RET
