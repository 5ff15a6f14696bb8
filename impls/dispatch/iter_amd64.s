//go:build linux

#include "go_asm.h"
#include "funcdata.h"
#include "textflag.h"

// The iterators and the assembler probes: targets of static calls. Why assembler: they take
// their arguments in the registers of Go's internal ABI, which no Go declaration of an
// assembler function can express.

#ifdef const_hookOn
#define HOOK(name) CALL name(SB)
#else
#define HOOK(name)
#endif

// ITERATE is the kernel's __traceiter: it ignores the data it was called with,
// reads tp->funcs again, checks it for NULL, and walks (func, data) to a NULL func.
// AX data (ignored), BX, CX arguments, DI tp. Clobbers what a Go function does.
// NOSPLIT, since the prologue of a growing stack would lose the registers.
#define ITERATE(check, call) \
	NO_LOCAL_POINTERS; \
	HOOK(·hookIterator); \
	MOVQ Point_funcs(DI), R9; \
	HOOK(·hookWalk); \
	check; \
	MOVQ BX, 32(SP); \
	MOVQ CX, 40(SP); \
next: \
	MOVQ R9, 48(SP); \
	MOVQ Entry_Fn(R9), R10; \
	MOVQ Entry_Data(R9), AX; \
	MOVQ 32(SP), BX; \
	MOVQ 40(SP), CX; \
	call; \
	MOVQ 48(SP), R9; \
	ADDQ $Entry__size, R9; \
	CMPQ Entry_Fn(R9), $0; \
	JNE next; \
done: \
	RET

// TOLERATE_NULL keeps D4: the last probe may have been removed since the site loaded tp->funcs.
// TRUST breaks it.
#define TOLERATE_NULL TESTQ R9, R9; JEQ done
#define TRUST

// func traceiter()
TEXT ·traceiter(SB), NOSPLIT, $56-0
	ITERATE(TOLERATE_NULL, CALL R10)

// func traceiterRetpoline()
TEXT ·traceiterRetpoline(SB), NOSPLIT, $56-0
	ITERATE(TOLERATE_NULL, CALL retpoline<>(SB))

// func traceiterUnchecked()
// Deliberate bug (before c8b186a8d54d): NULL is walked as if it were an array.
TEXT ·traceiterUnchecked(SB), NOSPLIT, $56-0
	ITERATE(TRUST, CALL R10)

// CALL_LIVE skips an entry with the sentinel. Fn is loaded once for the comparison and the
// call, because it may become the sentinel in between.
#define CALL_LIVE CMPQ R10, $const_Sentinel; JEQ dead; CALL R10; dead:

// func traceiterSentinel()
TEXT ·traceiterSentinel(SB), NOSPLIT, $56-0
	ITERATE(TOLERATE_NULL, CALL_LIVE)

// retpoline<> calls through R10 so that the CPU cannot predict the target. It predicts that
// the RET goes to the loop after the inner CALL. The RET goes to the return address, which
// the MOVQ has overwritten.
TEXT retpoline<>(SB), NOSPLIT|NOFRAME, $0-0
	BYTE $0xE8; BYTE $7; BYTE $0; BYTE $0; BYTE $0 // CALL over the 7 bytes of speculation trap
	BYTE $0xF3; BYTE $0x90                         // PAUSE
	BYTE $0x0F; BYTE $0xAE; BYTE $0xE8             // LFENCE
	BYTE $0xEB; BYTE $0xF9                         // JMP to the PAUSE
	BYTE $0x4C; BYTE $0x89; BYTE $0x14; BYTE $0x24 // MOVQ R10, (SP)
	RET

// func probeNop(data unsafe.Pointer, a, b uint64), by ABIInternal's registers
TEXT ·probeNop(SB), NOSPLIT|NOFRAME, $0-0
	RET

// func probeStub()
// The kernel's tp_stub_func. It ignores its arguments. It is not probeNop, because a user may
// register that as a probe.
TEXT ·probeStub(SB), NOSPLIT|NOFRAME, $0-0
	RET

// func probeCount(data unsafe.Pointer, a, b uint64), by ABIInternal's registers
// Adds one to the word that data points to; only one thread may fire it.
TEXT ·probeCount(SB), NOSPLIT|NOFRAME, $0-0
	INCQ (AX)
	RET

// func probeFreed(data unsafe.Pointer, a, b uint64), by ABIInternal's registers
// The entries of a freed array call it. Many threads may, at the same time.
TEXT ·probeFreed(SB), NOSPLIT|NOFRAME, $0-0
	LOCK
	INCQ ·freedCalls(SB)
	RET

// func probeSelf(data unsafe.Pointer, a, b uint64), by ABIInternal's registers
// The self-test calls it before it calls a Go function: it notes the registers that a Go
// function would find. It takes the thread's g from thread-local storage, not from R14.
TEXT ·probeSelf(SB), NOSPLIT|NOFRAME, $0-0
	INCQ ·self+selfSeen_calls(SB)
	MOVQ AX, ·self+selfSeen_data(SB)
	MOVQ BX, ·self+selfSeen_a(SB)
	MOVQ CX, ·self+selfSeen_b(SB)
	MOVQ R14, ·self+selfSeen_r14(SB)
	MOVUPS X15, ·self+selfSeen_x15(SB)
	MOVQ TLS, R10
	MOVQ 0(R10)(TLS*1), R10
	MOVQ R10, ·self+selfSeen_g(SB)
	MOVQ 0(SP), R10
	MOVQ R10, ·self+selfSeen_ret(SB)
	RET

// func addresses(a *addressTable)
// Why assembler: a func value would give the address of an ABI wrapper.
#define ADDRESS(field, name) LEAQ name(SB), BX; MOVQ BX, field(AX)
TEXT ·addresses(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	ADDRESS(addressTable_fire, ·fire)
	ADDRESS((addressTable_site+0), ·site0)
	ADDRESS((addressTable_site+8), ·site1)
	ADDRESS((addressTable_site+16), ·site2)
	ADDRESS((addressTable_site+24), ·site3)
	ADDRESS((addressTable_plain+0), ·plain0)
	ADDRESS((addressTable_plain+8), ·plain1)
	ADDRESS((addressTable_plain+16), ·plain2)
	ADDRESS((addressTable_plain+24), ·plain3)
	ADDRESS(addressTable_traceiter, ·traceiter)
	ADDRESS(addressTable_retpoline, ·traceiterRetpoline)
	ADDRESS(addressTable_unchecked, ·traceiterUnchecked)
	ADDRESS(addressTable_sentinel, ·traceiterSentinel)
	ADDRESS(addressTable_probeNop, ·probeNop)
	ADDRESS(addressTable_probeStub, ·probeStub)
	ADDRESS(addressTable_probeCount, ·probeCount)
	ADDRESS(addressTable_probeFreed, ·probeFreed)
	ADDRESS(addressTable_probeSelf, ·probeSelf)
	RET
