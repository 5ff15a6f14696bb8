//go:build linux

#include "go_asm.h"
#include "textflag.h"

// The stores of the protocol, one loop for each step. Why assembler: each store must be one
// plain MOV of its width, in program order, to memory that is not Go's.

// func writeInt3s(work *pokeWork, n int)
// For each site: stores the instruction in the table, for the trap handler, and then the int3.
TEXT ·writeInt3s(SB), NOSPLIT, $0-16
	MOVQ work+0(FP), SI
	MOVQ n+8(FP), CX
next:
	MOVQ pokeWork_site(SI), DI
	MOVQ pokeWork_insn(SI), AX
	MOVQ AX, Site_insn(DI)    // before the int3; pairs with trap's load (P3)
	MOVQ pokeWork_pc(SI), DI
	MOVB $const_opInt3, (DI)
	ADDQ $pokeWork__size, SI
	DECQ CX
	JNE  next
	RET

// func writeTails(work *pokeWork, n int)
// For each site: stores the tail. The store may cross a cache line: every CPU has seen the
// int3, so none decodes the tail.
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
// For each site: stores the head.
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
