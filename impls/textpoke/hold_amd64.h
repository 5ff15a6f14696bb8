// HOLD is the first thing in the trap handlers. With the build tag steps, a test can hold a
// thread that has trapped: the thread counts itself in trapsBegun and spins while holdTraps is
// not 0. Without the tag, HOLD is empty.
#ifdef const_stepOn
#define HOLD \
	LOCK; \
	INCL ·trapsBegun(SB); \
held: \
	PAUSE; \
	CMPL ·holdTraps(SB), $0; \
	JNE held
#else
#define HOLD
#endif
