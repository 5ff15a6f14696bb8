#include "textflag.h"

// func pause()
TEXT ·pause(SB), NOSPLIT, $0
	MOVL $2000, CX

again:
	DECL CX
	JNZ  again
	PAUSE
	RET
