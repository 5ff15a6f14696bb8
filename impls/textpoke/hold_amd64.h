// HOLD stands first in the trap handlers. With the build tag steps, a thread that has
// trapped can be held there: it counts itself and spins while it is told to. Without
// the tag it is nothing.
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
