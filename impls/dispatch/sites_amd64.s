//go:build linux

#include "go_asm.h"
#include "funcdata.h"
#include "textflag.h"

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
	MOVQ Entry_Data(R9), AX; \
	MOVL a, BX; \
	MOVQ R12, CX; \
	CALL target; \
	MOVQ r+8(FP), SI; \
	DECQ const_readerWord(SI); \
	MOVQ COUNTER, R12; \
	back; \
	INCQ const_readerWord(SI); \
	JMP -13(PC)

// BLOCK is one event's site, entered by a jump: key, then the tail that passes n
// sites in a row before it leaves.
#define BLOCK(n) \
	PCALIGN $const_blockSize; \
	KEEP; \
	KEY; \
	DECQ R12; \
	JEQ out; \
	JMP 23(PC); \
	BODY(·points+(n)*64(SB), $(n), ·traceiter(SB), JMP -21(PC))

#define BLOCKS8(n) BLOCK((n)*8+0); BLOCK((n)*8+1); BLOCK((n)*8+2); BLOCK((n)*8+3); BLOCK((n)*8+4); BLOCK((n)*8+5); BLOCK((n)*8+6); BLOCK((n)*8+7)
#define BLOCKS64(n) BLOCKS8((n)*8+0); BLOCKS8((n)*8+1); BLOCKS8((n)*8+2); BLOCKS8((n)*8+3); BLOCKS8((n)*8+4); BLOCKS8((n)*8+5); BLOCKS8((n)*8+6); BLOCKS8((n)*8+7)
#define BLOCKS512(n) BLOCKS64((n)*8+0); BLOCKS64((n)*8+1); BLOCKS64((n)*8+2); BLOCKS64((n)*8+3); BLOCKS64((n)*8+4); BLOCKS64((n)*8+5); BLOCKS64((n)*8+6); BLOCKS64((n)*8+7)

// ITERATE is the kernel's __traceiter: it ignores the data it was called with,
// reads tp->funcs again, tolerates NULL, and walks (func, data) to a NULL func.
// AX data (ignored), BX, CX arguments, DI tp. Clobbers what a Go function does.
// NOSPLIT, since the prologue of a growing stack would lose the registers.
#define ITERATE(call) \
	NO_LOCAL_POINTERS; \
	MOVQ Point_funcs(DI), R9; \
	TESTQ R9, R9; \
	JEQ done; \
	MOVQ BX, 32(SP); \
	MOVQ CX, 40(SP); \
next: \
	MOVQ R9, 48(SP); \
	MOVQ Entry_Fn(R9), R10; \
	MOVQ Entry_Data(R9), AX; \
	MOVQ 32(SP), BX; \
	MOVQ 40(SP), CX; \
	call; \
	MOVQ 48(SP), R9; \
	ADDQ $Entry__size, R9; \
	CMPQ Entry_Fn(R9), $0; \
	JNE next; \
done: \
	RET

// func fire(entry uintptr, r *rcu.Reader, n int)
// Passes n > 0 blocks, beginning with the one at entry.
TEXT ·fire(SB), 0, $40-24
	NO_LOCAL_POINTERS
	MOVQ n+16(FP), R12
	MOVQ entry+0(FP), AX
	JMP  AX
	BLOCKS512(0)
	BLOCKS512(1)
	BLOCKS512(2)
	BLOCKS512(3)
	BLOCKS512(4)
	BLOCKS512(5)
	BLOCKS512(6)
	BLOCKS512(7)
	PCALIGN $const_blockSize
	JMP  out             // where the last block's JMP 23(PC) would go, were n larger
	NOP
	NOP
	NOP
	NOP
	NOP
out:
	RET

// The timed loops pass unroll sites n times. Each stands at four alignments, PAD0
// to PAD3 into a cache line, because placement alone moves such loops by more
// than the differences that are asked about. entry is not used.

#define NOP8 BYTE $0x0F; BYTE $0x1F; BYTE $0x84; BYTE $0x00; BYTE $0x00; BYTE $0x00; BYTE $0x00; BYTE $0x00
#define PAD0 PCALIGN $64
#define PAD1 PCALIGN $64; NOP8; NOP8
#define PAD2 PCALIGN $64; NOP8; NOP8; NOP8; NOP8
#define PAD3 PCALIGN $64; NOP8; NOP8; NOP8; NOP8; NOP8; NOP8

#define LOOP(name, pad) \
TEXT name(SB), 0, $40-24; \
	NO_LOCAL_POINTERS; \
	MOVQ n+16(FP), R12; \
	pad

// impl=nothing: the empty loop, which every other loop contains.
#define NOTHING(name, pad) \
	LOOP(name, pad); \
next: \
	KEEP; \
	DECQ R12; \
	JNE next; \
	RET

NOTHING(·nothing0, PAD0)
NOTHING(·nothing1, PAD1)
NOTHING(·nothing2, PAD2)
NOTHING(·nothing3, PAD3)

// impl=bare-call: call and return.
#define BARE(name, pad) \
	LOOP(name, pad); \
next: \
	KEEP; \
	CALL ·probeNop(SB); CALL ·probeNop(SB); CALL ·probeNop(SB); CALL ·probeNop(SB); \
	CALL ·probeNop(SB); CALL ·probeNop(SB); CALL ·probeNop(SB); CALL ·probeNop(SB); \
	DECQ R12; \
	JNE next; \
	RET

BARE(·bare0, PAD0)
BARE(·bare1, PAD1)
BARE(·bare2, PAD2)
BARE(·bare3, PAD3)

#define SITES(check, point, target) \
next: \
	KEEP; \
	check(b0); \
r0:	check(b1); \
r1:	check(b2); \
r2:	check(b3); \
r3:	check(b4); \
r4:	check(b5); \
r5:	check(b6); \
r6:	check(b7); \
r7:	DECQ R12; \
	JNE next; \
	RET; \
b0:	BODY(point, $0, target, JMP r0); \
b1:	BODY(point, $1, target, JMP r1); \
b2:	BODY(point, $2, target, JMP r2); \
b3:	BODY(point, $3, target, JMP r3); \
b4:	BODY(point, $4, target, JMP r4); \
b5:	BODY(point, $5, target, JMP r5); \
b6:	BODY(point, $6, target, JMP r6); \
b7:	BODY(point, $7, target, JMP r7)

#define NILCHECK(body) MOVQ ·nilPoint+Point_funcs(SB), R9; TESTQ R9, R9; JNE body
#define PATCHED(body) KEY

// impl=nil-check: a load, a test and a branch where a key's NOP would stand.
#define NIL(name, pad) \
	LOOP(name, pad); \
	SITES(NILCHECK, ·nilPoint(SB), ·probeNop(SB))

NIL(·nil0, PAD0)
NIL(·nil1, PAD1)
NIL(·nil2, PAD2)
NIL(·nil3, PAD3)

// impl=plain-call: the whole site, with an ordinary CALL of a probe.
#define PLAIN(name, pad) \
	LOOP(name, pad); \
	SITES(PATCHED, ·plainPoint(SB), ·probeNop(SB))

PLAIN(·plain0, PAD0)
PLAIN(·plain1, PAD1)
PLAIN(·plain2, PAD2)
PLAIN(·plain3, PAD3)

// The patched site, for every variant of this package.
#define SITE(name, pad) \
	LOOP(name, pad); \
	SITES(PATCHED, ·sitePoint(SB), ·traceiter(SB))

SITE(·site0, PAD0)
SITE(·site1, PAD1)
SITE(·site2, PAD2)
SITE(·site3, PAD3)

// func fireMapped(entry uintptr, r *rcu.Reader, n int)
// Passes the mapped site at entry n > 0 times. Mapped code must not call, so the
// read section stands here, around the whole site.
TEXT ·fireMapped(SB), 0, $40-24
	NO_LOCAL_POINTERS
	MOVQ n+16(FP), R12
next:
	MOVQ r+8(FP), SI
	MOVQ const_readerWord(SI), R8
	MOVQ const_readerCtr(SI), DX
	MOVQ (DX), DX
	TESTW R8, R8
	JNE  nested
	MOVQ DX, const_readerWord(SI)
entered:
	MOVQ R12, COUNTER
	MOVQ entry+0(FP), R9
	XORL BX, BX
	MOVQ R12, CX
	CALL R9
	MOVQ r+8(FP), SI
	DECQ const_readerWord(SI)
	MOVQ COUNTER, R12
	DECQ R12
	JNE  next
	RET
nested:
	INCQ const_readerWord(SI)
	JMP  entered

// func traceiter()
TEXT ·traceiter(SB), NOSPLIT, $56-0
	ITERATE(CALL R10)

// func traceiterRetpoline()
TEXT ·traceiterRetpoline(SB), NOSPLIT, $56-0
	ITERATE(CALL retpoline<>(SB))

// retpoline<> calls through R10 without letting the CPU predict where to: the RET
// is predicted to the loop that the inner CALL left behind, and goes where the
// overwritten return address says.
TEXT retpoline<>(SB), NOSPLIT|NOFRAME, $0-0
	BYTE $0xE8; BYTE $7; BYTE $0; BYTE $0; BYTE $0 // CALL over the 7 bytes of speculation trap
	BYTE $0xF3; BYTE $0x90                         // PAUSE
	BYTE $0x0F; BYTE $0xAE; BYTE $0xE8             // LFENCE
	BYTE $0xEB; BYTE $0xF9                         // JMP to the PAUSE
	BYTE $0x4C; BYTE $0x89; BYTE $0x14; BYTE $0x24 // MOVQ R10, (SP)
	RET

// func probeNop(data unsafe.Pointer, a, b uint64), by ABIInternal's registers
TEXT ·probeNop(SB), NOSPLIT|NOFRAME, $0-0
	RET

// func probeCount(data unsafe.Pointer, a, b uint64), by ABIInternal's registers
// Adds one to the word that data points to; only one thread may fire it.
TEXT ·probeCount(SB), NOSPLIT|NOFRAME, $0-0
	INCQ (AX)
	RET

// func addresses(a *addressTable)
// Why assembler: a func value would give the address of an ABI wrapper.
TEXT ·addresses(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	LEAQ ·fire(SB), BX
	MOVQ BX, addressTable_fire(AX)
	LEAQ ·site0(SB), BX
	MOVQ BX, (addressTable_site+0)(AX)
	LEAQ ·site1(SB), BX
	MOVQ BX, (addressTable_site+8)(AX)
	LEAQ ·site2(SB), BX
	MOVQ BX, (addressTable_site+16)(AX)
	LEAQ ·site3(SB), BX
	MOVQ BX, (addressTable_site+24)(AX)
	LEAQ ·plain0(SB), BX
	MOVQ BX, (addressTable_plain+0)(AX)
	LEAQ ·plain1(SB), BX
	MOVQ BX, (addressTable_plain+8)(AX)
	LEAQ ·plain2(SB), BX
	MOVQ BX, (addressTable_plain+16)(AX)
	LEAQ ·plain3(SB), BX
	MOVQ BX, (addressTable_plain+24)(AX)
	LEAQ ·traceiter(SB), BX
	MOVQ BX, addressTable_traceiter(AX)
	LEAQ ·traceiterRetpoline(SB), BX
	MOVQ BX, addressTable_retpoline(AX)
	LEAQ ·probeNop(SB), BX
	MOVQ BX, addressTable_probeNop(AX)
	LEAQ ·probeCount(SB), BX
	MOVQ BX, addressTable_probeCount(AX)
	RET
