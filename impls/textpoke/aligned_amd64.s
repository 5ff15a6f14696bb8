//go:build linux

#include "go_asm.h"
#include "textflag.h"

// func writeAligned(work *pokeWork, n int)
// For each site: stores the aligned word that has its five bytes, and leaves the other three
// bytes as they are. Why assembler: as in write_amd64.s.
TEXT ·writeAligned(SB), NOSPLIT, $0-16
	MOVQ work+0(FP), SI
	MOVQ n+8(FP), R9
next:
	MOVQ pokeWork_pc(SI), DI
	MOVQ DI, CX
	ANDQ $-8, DI
	ANDQ $7, CX
	SHLQ $3, CX              // bits below the site
	MOVQ $0xFFFFFFFFFF, BX
	SHLQ CX, BX
	NOTQ BX
	MOVQ (DI), AX
	ANDQ BX, AX              // the other three bytes
	MOVQ pokeWork_code(SI), DX
	SHLQ CX, DX
	ORQ  DX, AX
	MOVQ AX, (DI)
	ADDQ $pokeWork__size, SI
	DECQ R9
	JNE  next
	RET
