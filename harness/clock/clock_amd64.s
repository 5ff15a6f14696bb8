//go:build linux && !purego

// The reads of the counter. ABI0, on the goroutine's stack, no frame.
//
// Why not Go: the compiler has no intrinsic for RDTSC and none for LFENCE, and a
// call through cgo takes longer than what is timed.
//
// LFENCE does not begin until all earlier instructions have completed and lets
// no later one begin before it has (Intel SDM; on AMD when DE_CFG bit 1 is set,
// which Linux sets at boot). It does not drain the store buffer: MFENCE would, but takes
// five times as long. CPUID serialises too, but exits to the hypervisor.

#include "textflag.h"

// func Start() uint64
// In: nothing.  Out: ret+0(FP).  Clobbers: AX, DX, flags.
TEXT ·Start(SB), NOSPLIT, $0-8
	LFENCE                  // what came before must not run inside the timed part
	RDTSC                   // EDX:EAX = counter
	LFENCE                  // what is timed must not begin before the read
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func Stop() uint64
// In: nothing.  Out: ret+0(FP).  Clobbers: AX, CX (TSC_AUX), DX, flags.
TEXT ·Stop(SB), NOSPLIT, $0-8
	RDTSCP                  // waits by itself until what is timed has completed
	LFENCE                  // what comes after must not run inside the timed part
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func cpuidLeaf(leaf uint32) (eax, edx uint32)
// In: leaf+0(FP).  Out: eax+8(FP), edx+12(FP).  Clobbers: AX, BX, CX, DX.
TEXT ·cpuidLeaf(SB), NOSPLIT, $0-16
	MOVL leaf+0(FP), AX
	XORL CX, CX             // sub-leaf 0
	CPUID
	MOVL AX, eax+8(FP)
	MOVL DX, edx+12(FP)
	RET
