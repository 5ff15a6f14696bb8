//go:build linux

#include "go_asm.h"
#include "textflag.h"

// func writeWords(work *pokeWork, n int)
// Per site: all five bytes, and the three behind as they were read, in one store. Why
// assembler: as in write_amd64.s.
TEXT ·writeWords(SB), NOSPLIT, $0-16
	MOVQ work+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ $0xFFFFFF0000000000, BX
next:
	MOVQ pokeWork_pc(SI), DI
	MOVQ (DI), AX
	ANDQ BX, AX
	ORQ  pokeWork_code(SI), AX
	MOVQ AX, (DI)
	ADDQ $pokeWork__size, SI
	DECQ CX
	JNE  next
	RET
