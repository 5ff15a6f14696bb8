package uprobe

import "github.com/tpbench/tpbench/impls/rcu"

// epochRCU is epochEager whose puts are sections of RCU Tasks Trace, and which frees after a
// grace period of that: who has lost still reads a uprobe.
//
//	CPU0, hit                            CPU1, hit
//	section
//	put: count 0, epoch 7
//	                                     found: count 1, epoch 8
//	                                     put: count 0, epoch 9
//	                                     write lock; still epoch 9: erase; unlock
//	                                     call_rcu: waits for CPU0
//	write lock
//	epoch still 7? no
//	section ends
//	                                     freed
//
// The count has no room to tell an underflow from a large number: what was objected to.
var epochRCU = Policy{
	Flavour: "taskstrace",
	hit:     hitLocked,
	fresh:   epochGet,
	get:     getEpoch,
	put: func(t *Table, r *rcu.Reader, u *Uprobe) {
		putInSection(t, r, u, func(then, now uint64) bool { return then == now })
	},
}

func putInSection(t *Table, r *rcu.Reader, u *Uprobe, same func(then, now uint64) bool) {
	if r == nil { // an updater stands nowhere else
		r = t.rcu.Register()
		defer r.Unregister()
	}
	r.Lock()
	destroyed := putEpoch(t, u, same)
	r.Unlock()
	if destroyed {
		t.freeRCU(u)
	}
}

// noEpoch is epochRCU that looks at the count alone.
//
//	CPU0, hit                            CPU1, hit
//	put: count 0
//	                                     found: count 1
//	                                     put: count 0
//	                                     write lock; count 0: erase; unlock
//	write lock; count 0: erases          // what has been
//	both free
var noEpoch = epochRCU.but(func(p *Policy) {
	p.put = func(t *Table, r *rcu.Reader, u *Uprobe) {
		// Deliberate bug (up-U2; ours): 0 now is taken for 0 all the while.
		putInSection(t, r, u, func(_, now uint64) bool { return uint32(now) == 0 })
	}
})

// narrowEpoch is epochRCU whose epoch comes round after 16 gets and puts.
//
//	CPU0, hit                            CPU1, updater and hits
//	put: count 0, epoch 7
//	                                     a consumer on: count 1, epoch 8
//	                                     7 hits: count 1, epoch 22 = 6
//	                                     off: count 0, epoch 23 = 7
//	                                     write lock; still epoch 7: erase; unlock
//	write lock; epoch 7: destroys it     // which has been
//	both free
//
// The 32 bits of epochRCU come round too, after 4 billion gets and puts while one thread
// stands between its put and the lock.
var narrowEpoch = epochRCU.but(func(p *Policy) {
	p.put = func(t *Table, r *rcu.Reader, u *Uprobe) {
		// Deliberate bug (up-U5; ours): of the epoch four bits are compared.
		putInSection(t, r, u, func(then, now uint64) bool { return (then^now)<<28 == 0 })
	}
})
