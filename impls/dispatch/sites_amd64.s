//go:build linux

#include "go_asm.h"
#include "funcdata.h"
#include "textflag.h"
#include "site_amd64.h"

// The events' sites in text, and the loop that fires sites in mapped memory. The site itself
// is in site_amd64.h.

// ALIGN begins a block. Three bytes that no thread executes, and the five of KEEP, put the key
// into one aligned word: textpoke's aligned-store can write no other.
#define ALIGN PCALIGN $const_blockSize; BYTE $0xCC; BYTE $0xCC; BYTE $0xCC

// BLOCK is one event's site. A jump to its KEEP enters it. After the key it counts R12 down, and
// leaves or goes on to the next block.
#define BLOCK(n) \
	ALIGN; \
	KEEP; \
	KEY; \
	DECQ R12; \
	JEQ out; \
	JMP 26(PC); \
	BODY(·points+(n)*64(SB), $(n), ·traceiter(SB), JMP -21(PC))

#define BLOCKS8(n) BLOCK((n)*8+0); BLOCK((n)*8+1); BLOCK((n)*8+2); BLOCK((n)*8+3); BLOCK((n)*8+4); BLOCK((n)*8+5); BLOCK((n)*8+6); BLOCK((n)*8+7)
#define BLOCKS64(n) BLOCKS8((n)*8+0); BLOCKS8((n)*8+1); BLOCKS8((n)*8+2); BLOCKS8((n)*8+3); BLOCKS8((n)*8+4); BLOCKS8((n)*8+5); BLOCKS8((n)*8+6); BLOCKS8((n)*8+7)
#define BLOCKS512(n) BLOCKS64((n)*8+0); BLOCKS64((n)*8+1); BLOCKS64((n)*8+2); BLOCKS64((n)*8+3); BLOCKS64((n)*8+4); BLOCKS64((n)*8+5); BLOCKS64((n)*8+6); BLOCKS64((n)*8+7)

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
	ALIGN
	JMP  out             // the last block's JMP 26(PC) goes here if n is too large
	NOP
	NOP
	NOP
	NOP
	NOP
out:
	RET

// func fireMapped(entry uintptr, r *rcu.Reader, n int)
// Passes the mapped site at entry n > 0 times. Mapped code must not call, so the read section
// is here, around the whole site.
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
