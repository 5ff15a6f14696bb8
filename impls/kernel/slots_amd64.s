#include "textflag.h"

// A slot is 16 bytes: an instruction for a uprobe, and a return. The rest is int3. Bytes, because
// the assembler may not choose another encoding, and because of the uprobes' offsets.

#define NOP  QUAD $0xccccccccccccc390; QUAD $0xcccccccccccccccc	// nop; ret
#define NOP5 QUAD $0xccccc30000441f0f; QUAD $0xcccccccccccccccc	// nop 0(ax)(ax*1), 5 bytes; ret
#define PUSH QUAD $0xccccccccccc35d55; QUAD $0xcccccccccccccccc	// push bp; pop bp; ret

#define x3 NOP; NOP5; PUSH;
#define x9 x3 x3 x3
#define x111 x9 x9 x9 x9 x9 x9 x9 x9 x9 x9 x9 x9 x3
#define x333 x111 x111 x111

// 1,000 slots, in the order of Insns. The linker aligns a function to 32 bytes.
TEXT slots<>(SB), NOSPLIT|NOFRAME, $0-0
	x333
	x333
	x333
	NOP

// func firstSlot() uintptr
//
// Not in Go, whose func values point to another entry, for Go's calling convention.
TEXT ·firstSlot(SB), NOSPLIT, $0-8
	LEAQ slots<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func run(address uintptr, n int)
//
// Not in Go, because a slot is no function with the frame that Go expects. A slot changes no
// register and no memory but the stack below SP, of 16 bytes with the return address.
TEXT ·run(SB), NOSPLIT, $32-16
	MOVQ address+0(FP), R12
	MOVQ n+8(FP), R13
	JMP  test
loop:
	CALL R12
	DECQ R13
test:
	TESTQ R13, R13
	JGT  loop
	RET
