//go:build linux

#include "go_asm.h"
#include "funcdata.h"
#include "textflag.h"

// The beginnings of the old functions: an ftrace entry each. Why assembler: the five bytes of
// each site are rewritten while threads execute them, so a compiler must not lay them out.
//
// The frame of enter:
//
//	 0(SP)..31(SP)  room in which a Go callee may spill its register arguments
//	32(SP)          how many calls remain
//
// A Go callee clobbers every register but R14 (g) and X15 (zero), which this code does not use.

// SITE is a function's ftrace entry: a NOP while no patch covers it, a CALL of the handler
// when one does. The bytes are package textpoke's NOP.
#define SITE BYTE $0x0F; BYTE $0x1F; BYTE $0x44; BYTE $0x00; BYTE $0x5A

// OLD is the entry of function k. Before the site, AX, BX and CX hold the handler's arguments:
// the function's body, the current task, and the Function. After it, AX holds the address at
// which execution continues: the body, or what the handler returned (a kernel's handler changes
// regs->ip). Go code finds the site by its bytes; the entry begins at the multiple of
// const_entrySize below it.
#define OLD(k) \
	PCALIGN $const_entrySize; \
	LEAQ ·table+(k)*Function__size(SB), CX; \
	MOVQ Function_body(CX), AX; \
	MOVQ t+8(FP), BX; \
	SITE; \
	JMP chosen

#define OLD8(k) OLD((k)*8+0); OLD((k)*8+1); OLD((k)*8+2); OLD((k)*8+3); OLD((k)*8+4); OLD((k)*8+5); OLD((k)*8+6); OLD((k)*8+7)

// func enter(entry uintptr, t *Task, data unsafe.Pointer, n int)
// Calls the function at entry n times with data; n > 0. It keeps the task's frames, which a
// stack check reads: the address of each function that the task is in.
TEXT ·enter(SB), 0, $40-32
	NO_LOCAL_POINTERS
	MOVQ n+24(FP), AX
	MOVQ AX, 32(SP)
	MOVQ entry+0(FP), AX
	JMP  AX
	OLD8(0)
	OLD8(1)
	OLD8(2)
	OLD8(3)
chosen:
	MOVQ t+8(FP), SI
	MOVQ Task_depth(SI), DX
	MOVQ AX, Task_frames(SI)(DX*8)
	INCQ Task_depth(SI)
	MOVQ AX, R9
	MOVQ data+16(FP), AX
	XORL BX, BX
	MOVQ 32(SP), CX
	CALL R9
	MOVQ t+8(FP), SI
	DECQ Task_depth(SI)
	MOVQ entry+0(FP), AX
	DECQ 32(SP)
	JEQ  out
	JMP  AX
out:
	RET

// func enterPC() uintptr
// Why assembler: a func value would give the address of an ABI wrapper.
TEXT ·enterPC(SB), NOSPLIT, $0-8
	LEAQ ·enter(SB), AX
	MOVQ AX, ret+0(FP)
	RET
