#include "textflag.h"

// The canary's two loops. Why assembler: they must be these instructions.

// func emptyLoop(n int)
// One iteration a cycle, unless a neighbour uses the core: bound by the front end.
// Clobbers AX.
TEXT ·emptyLoop(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), AX
	PCALIGN $64
next:
	DECQ AX
	JNE  next
	RET

// func imulChain(n int)
// Three cycles an iteration on every x86-64 since 2008: bound by one multiplier's
// latency, which a neighbour does not make longer.
// Clobbers AX, BX.
TEXT ·imulChain(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), AX
	MOVQ $1, BX
	PCALIGN $64
next:
	IMULQ BX, BX
	DECQ AX
	JNE  next
	RET
