#include "go_asm.h"
#include "textflag.h"

// The read section in the fewest instructions. Why assembler: the stores must be
// plain MOVs, in this order and never delayed by a compiler, and Go's atomic
// store is a locked exchange, ten times the price. What the store of L2 lacks,
// order against the loads that follow it, the updater's membarrier supplies
// (package doc, steps 1 to 3).

// func readLock(r *Reader)
// Clobbers AX, BX, CX.
TEXT ·readLock(SB), NOSPLIT, $0-8
	MOVQ r+0(FP), AX
	MOVQ Reader_word(AX), BX
	TESTW BX, BX
	JNE  nested             // the branch, not a CMOV, keeps the store off the load's latency
	MOVQ Reader_ctr(AX), CX
	MOVQ (CX), BX           // L1
	MOVQ BX, Reader_word(AX) // L2
	RET
nested:
	INCQ Reader_word(AX)
	RET

// func readUnlock(r *Reader)
// Clobbers AX.
TEXT ·readUnlock(SB), NOSPLIT, $0-8
	MOVQ r+0(FP), AX
	DECQ Reader_word(AX)    // L5: outermost, the nesting becomes 0
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

// The sections of SRCU. smp_mb is the kernel's: a locked add of nothing to the stack.
#define SMP_MB LOCK; ADDL $0, 0(SP)

// func srcuLock(count *uint64)
// Clobbers AX.
TEXT ·srcuLock(SB), NOSPLIT, $8-8
	MOVQ count+0(FP), AX
	INCQ (AX)               // L2
	SMP_MB                  // B: L3 comes after L2; pairs with U2 and the sums
	RET

// func srcuUnlock(count *uint64)
// Clobbers AX.
TEXT ·srcuUnlock(SB), NOSPLIT, $8-8
	MOVQ count+0(FP), AX
	SMP_MB                  // C: L4 comes before L5; x86 promises that, and the kernel pays all the same
	INCQ (AX)               // L5
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
