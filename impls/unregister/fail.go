package unregister

import "github.com/tpbench/tpbench/impls/dispatch"

// Deliberate bug (until befe6d946551): fail returns ErrNoMem where the smaller array cannot
// be allocated, and changes nothing. That is M4 broken. Those who remove probes
// cannot hand the error on, and so break M1: two reports of syzbot.
//
//	CPU0, release of a file              CPU1, reader
//	-A: no memory, ErrNoMem
//	free d_A                             // nobody to tell
//	                                     A(d_A)                    // freed
var fail = Policy{
	add:    (*Point).replace,
	remove: func(p *Point, _ int, rest []dispatch.Entry) error { return p.replace(rest) },
}
