#include "go_asm.h"
#include "textflag.h"

// The read section in the fewest instructions. Why assembler: the stores must be plain MOVs,
// in this order, and a compiler may not delay them. Go's atomic store is a locked exchange
// and costs ten times as much. The plain store of enter is not ordered against the loads that
// follow it: the updater's membarrier orders them (package doc, steps 1 to 3 of the proof).

// func readLock(r *Reader)
// Clobbers AX, BX, CX.
TEXT ·readLock(SB), NOSPLIT, $0-8
	MOVQ r+0(FP), AX
	MOVQ Reader_word(AX), BX
	TESTW BX, BX
	JNE  nested             // a branch: with a CMOV the store would wait for the load of the word
	MOVQ Reader_ctr(AX), CX
	MOVQ (CX), BX           // copy; pairs with begin
	MOVQ BX, Reader_word(AX) // enter; pairs with the scan
	RET
nested:
	INCQ Reader_word(AX)
	RET

// func readUnlock(r *Reader)
// Clobbers AX.
TEXT ·readUnlock(SB), NOSPLIT, $0-8
	MOVQ r+0(FP), AX
	DECQ Reader_word(AX)    // leave: the outermost makes the nesting 0; pairs with the scan
	RET

// func pause()
TEXT ·pause(SB), NOSPLIT, $0-0
	PAUSE
	RET

// func sections(r *Reader, n int)
// n outermost sections around nothing, for the benchmark ReadSide.
// Clobbers AX, BX, CX, DX.
TEXT ·sections(SB), NOSPLIT, $0-16
	MOVQ r+0(FP), AX
	MOVQ n+8(FP), DX
	MOVQ Reader_ctr(AX), CX
	PCALIGN $64
next:
	MOVQ Reader_word(AX), BX
	TESTW BX, BX
	JNE  nest
	MOVQ (CX), BX
	MOVQ BX, Reader_word(AX)
leave:
	DECQ Reader_word(AX)
	DECQ DX
	JNE  next
	RET
nest:
	INCQ Reader_word(AX)
	JMP  leave

// The sections of SRCU. The fence is the kernel's smp_mb: a locked add of 0 to the stack.
#define SMP_MB LOCK; ADDL $0, 0(SP)

// func srcuLock(count *uint64)
// Clobbers AX.
TEXT ·srcuLock(SB), NOSPLIT, $8-8
	MOVQ count+0(FP), AX
	INCQ (AX)               // enter
	SMP_MB                  // fence B: load comes after enter; pairs with begin and the sums
	RET

// func srcuUnlock(count *uint64)
// Clobbers AX.
TEXT ·srcuUnlock(SB), NOSPLIT, $8-8
	MOVQ count+0(FP), AX
	SMP_MB                  // fence C: use comes before leave; x86 needs no fence for that, but the kernel has one
	INCQ (AX)               // leave; pairs with the sums
	RET

// func srcuSections(r *Reader, n int)
// n sections of SRCU around nothing, for the benchmark ReadSide.
// Clobbers AX, BX, CX, DX.
TEXT ·srcuSections(SB), NOSPLIT, $8-16
	MOVQ r+0(FP), AX
	MOVQ n+8(FP), DX
	MOVQ Reader_ctr(AX), CX
	LEAQ Reader_counts(AX), AX
	PCALIGN $64
next:
	MOVQ (CX), BX
	SHRQ $16, BX
	ANDL $1, BX
	INCQ srcuCounts_locks(AX)(BX*8)
	SMP_MB
	SMP_MB
	INCQ srcuCounts_unlocks(AX)(BX*8)
	DECQ DX
	JNE  next
	RET
