// The macros of a site. Why assembler: a site's instructions are rewritten while threads
// execute them, so the compiler must not choose them; and a timed loop must have the same
// instructions for every way to dispatch.
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
// R12 counts n down. A Go callee clobbers every register but R14 (g) and X15 (zero), so a body
// loads R12 again from COUNTER. It is stored there once an iteration. If each body stored it,
// each load would wait for the store before it, and that chain would be the longest in the
// loop. No site changes R14 and X15: the callee finds the values of the TEXT's ABI wrapper.

#define COUNTER 32(SP)
#define KEEP MOVQ R12, COUNTER

// KEY is the key: a NOP while the tracepoint is off, a JMP to BODY when it is on. The bytes are
// package textpoke's NOP.
#define KEY BYTE $0x0F; BYTE $0x1F; BYTE $0x44; BYTE $0x00; BYTE $0x5A

// LOADDATA loads the first entry's data into AX. Builds that replay interleavings, or have the
// race detector, call Go here (hook_amd64.s). It is one instruction in either build.
#ifdef const_hookOn
#define LOADDATA CALL ·hookData(SB)
#else
#define LOADDATA MOVQ Entry_Data(R9), AX
#endif

// BODY stands out of line. A KEY jumps to it. It is the kernel's __DO_TRACE_CALL:
//
//	enter        a read section: rcu's copy and enter, inline
//	load array   p = tp->funcs; NULL once the last probe is removed
//	load data    d = p[0].data, before the call is fetched: func and data are two words
//	call         the static call, with d, a and the counter in AX, BX, CX, and with tp in DI,
//	             which only the iterators use
//	leave        the read section
//
// Its parameters: point, the tracepoint's Point; a, the site's number; target, where the static
// call goes at first; back, the jump to the instruction after the key.
//
// Jumps count instructions, because one macro stands at thousands of places. The nested
// section's entry stands last, so that the usual path has no taken branch. Go code finds a
// body by its first two instructions, bodyMark.
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
