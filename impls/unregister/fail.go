package unregister

import "github.com/tpbench/tpbench/impls/dispatch"

// Deliberate bug (until befe6d946551): fail returns ErrNoMem if the smaller array cannot be
// allocated, and changes nothing. That breaks M4. The callers that remove probes cannot handle
// the error and free the data, which breaks M1: syzbot reported it twice.
//
//	CPU0, release of a file              CPU1, reader
//	-A: no memory, ErrNoMem
//	free d_A                             // release cannot fail
//	                                     A(d_A)                    // freed
var fail = Policy{
	add:    (*Point).replace,
	remove: func(p *Point, _ int, rest []dispatch.Entry) error { return p.replace(rest) },
}
