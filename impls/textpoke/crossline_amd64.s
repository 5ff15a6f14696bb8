//go:build linux

#include "go_asm.h"
#include "textflag.h"

// func writeWords(work *pokeWork, n int)
// For each site: stores its five bytes and the three bytes after it, as they were read, at
// once. Why assembler: as in write_amd64.s.
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
