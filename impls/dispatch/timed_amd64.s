//go:build linux

#include "go_asm.h"
#include "funcdata.h"
#include "textflag.h"
#include "site_amd64.h"

// The timed loops pass Unroll sites n times. Each stands at four alignments, PAD0 to PAD3
// (0, 16, 32 and 48 bytes into a cache line), because alignment alone changes the time of such
// loops by more than the differences that benchmarks look for. entry is not used.

#define NOP8 BYTE $0x0F; BYTE $0x1F; BYTE $0x84; BYTE $0x00; BYTE $0x00; BYTE $0x00; BYTE $0x00; BYTE $0x00
#define PAD0 PCALIGN $64
#define PAD1 PCALIGN $64; NOP8; NOP8
#define PAD2 PCALIGN $64; NOP8; NOP8; NOP8; NOP8
#define PAD3 PCALIGN $64; NOP8; NOP8; NOP8; NOP8; NOP8; NOP8

#define LAYOUTS(loop, name0, name1, name2, name3) loop(name0, PAD0); loop(name1, PAD1); loop(name2, PAD2); loop(name3, PAD3)

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

LAYOUTS(NOTHING, ·nothing0, ·nothing1, ·nothing2, ·nothing3)

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

LAYOUTS(BARE, ·bare0, ·bare1, ·bare2, ·bare3)

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

LAYOUTS(NIL, ·nil0, ·nil1, ·nil2, ·nil3)

// impl=plain-call: the whole site, with an ordinary CALL of a probe.
#define PLAIN(name, pad) \
	LOOP(name, pad); \
	SITES(PATCHED, ·plainPoint(SB), ·probeNop(SB))

LAYOUTS(PLAIN, ·plain0, ·plain1, ·plain2, ·plain3)

// The patched site. All variants of this package use it.
#define SITE(name, pad) \
	LOOP(name, pad); \
	SITES(PATCHED, ·sitePoint(SB), ·traceiter(SB))

LAYOUTS(SITE, ·site0, ·site1, ·site2, ·site3)
