// Sites, the loops that fire them, and what they call. Why assembler: the five
// bytes of a site are rewritten while they run, so no compiler may own them; and a
// timed loop must be the same instructions whatever it dispatches to.
//
// Every TEXT here that holds sites is
//
//	func(entry uintptr, r *rcu.Reader, n int)
//
// with this frame:
//
//	 0(SP)..31(SP)  spill room that a Go callee's register arguments may use
//	32(SP)          the counter
//
// It keeps what is left of n in R12. A Go callee clobbers every register but R14 (g)
// and X15 (zero), so a body loads R12 again from COUNTER, where it is stored once an
// iteration: stored by each body, it would make a chain of store forwards through
// the loop, longer than everything else in it. R14 and X15 are not touched here: the
// callee finds them as the ABI wrapper of the TEXT left them.

#define COUNTER 32(SP)
#define KEEP MOVQ R12, COUNTER

// KEY is the static key's site: a NOP while the tracepoint is off, a JMP to its
// BODY when on. The bytes are package textpoke's NOP.
#define KEY BYTE $0x0F; BYTE $0x1F; BYTE $0x44; BYTE $0x00; BYTE $0x5A

// LOADDATA is R4: the first entry's data into AX. Builds that replay interleavings, or
// have the race detector, stop here (hook_amd64.s); it is one instruction in all.
#ifdef const_hookOn
#define LOADDATA CALL ·hookData(SB)
#else
#define LOADDATA MOVQ Entry_Data(R9), AX
#endif

// BODY stands out of line behind a KEY. It is the kernel's __DO_TRACE_CALL:
//
//	R2 enter a read section (rcu's L1 and L2, inline)
//	R3 p = tp->funcs; it is NULL once the last probe has gone
//	R4 d = p[0].data, before the call below is fetched: func and data are two words
//	R5 static call with d, a and the counter in AX, BX, CX, and tp in DI, which
//	   only the iterators look at
//	   leave the section (L5)
//
// Jumps count instructions, because one macro stands at thousands of places. The
// nested Lock stands last, so that the usual path has no taken branch. Go code
// finds a body by its first two instructions, bodyMark.
#define BODY(point, a, target, back) \
	MOVQ r+8(FP), SI; \
	MOVQ const_readerWord(SI), R8; \
	MOVQ const_readerCtr(SI), DX; \
	MOVQ (DX), DX; \
	TESTW R8, R8; \
	JNE 14(PC); \
	MOVQ DX, const_readerWord(SI); \
	LEAQ point, DI; \
	MOVQ Point_funcs(DI), R9; \
	TESTQ R9, R9; \
	JEQ 6(PC); \
	LOADDATA; \
	MOVL a, BX; \
	MOVQ R12, CX; \
	CALL target; \
	MOVQ r+8(FP), SI; \
	DECQ const_readerWord(SI); \
	MOVQ COUNTER, R12; \
	back; \
	INCQ const_readerWord(SI); \
	JMP -13(PC)
