package rcu

// qsbr: nobody is interrupted and sections are free; readers say now and then
// that they are in none ([Reader.Quiescent]), and a grace period waits until each
// has said so since it began. It models RCU-sched, where that moment is a context
// switch. The fences are those of the exchange in Quiescent and of the locked add
// of U2, so U3 has nothing left to do.
func qsbr(o Options) *Domain {
	return open(flavor{barrier: func() {}, left: saidQuiescent}, o)
}

func saidQuiescent(r *Reader, ctr uint64) bool {
	said := r.quiescent.Load()
	return said == 0 || said >= ctr
}
