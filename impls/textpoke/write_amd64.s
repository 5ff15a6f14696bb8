//go:build linux

#include "go_asm.h"
#include "textflag.h"

// The stores of the protocol, a loop for each step. Why assembler: each must be one
// plain MOV of its width, in program order, into memory Go knows nothing of.

// func writeInt3s(work *pokeWork, n int)
// Per site: the instruction for the trap handler, then the int3.
TEXT ·writeInt3s(SB), NOSPLIT, $0-16
	MOVQ work+0(FP), SI
	MOVQ n+8(FP), CX
next:
	MOVQ pokeWork_site(SI), DI
	MOVQ pokeWork_insn(SI), AX
	MOVQ AX, Site_insn(DI)
	MOVQ pokeWork_pc(SI), DI
	MOVB $const_opInt3, (DI)
	ADDQ $pokeWork__size, SI
	DECQ CX
	JNE  next
	RET

// func writeTails(work *pokeWork, n int)
// Per site: bytes 1 to 4. The store may cross a cache line, behind the int3.
TEXT ·writeTails(SB), NOSPLIT, $0-16
	MOVQ work+0(FP), SI
	MOVQ n+8(FP), CX
next:
	MOVQ pokeWork_pc(SI), DI
	MOVL (pokeWork_code+1)(SI), AX
	MOVL AX, 1(DI)
	ADDQ $pokeWork__size, SI
	DECQ CX
	JNE  next
	RET

// func writeHeads(work *pokeWork, n int)
// Per site: byte 0.
TEXT ·writeHeads(SB), NOSPLIT, $0-16
	MOVQ work+0(FP), SI
	MOVQ n+8(FP), CX
next:
	MOVQ pokeWork_pc(SI), DI
	MOVB pokeWork_code(SI), AX
	MOVB AX, (DI)
	ADDQ $pokeWork__size, SI
	DECQ CX
	JNE  next
	RET
