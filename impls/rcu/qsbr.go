package rcu

// qsbr: nobody is interrupted; readers say now and then that they are in no section
// ([Reader.Quiescent]), and a grace period waits until each has said so since it
// began. It models RCU-sched, where that moment is a context switch. The fences are
// those of the exchange in Quiescent and of the locked add of U2, so U3 has nothing
// left to do.
//
// Its sections need no code at all. Here they have the same as everybody's, which
// nobody looks at: a site's section stands inline in assembler, one for all flavours.
func qsbr(o Options) *Domain {
	return open(flavor{snap: wholeGracePeriod, barrier: func() {}, left: saidQuiescent}, o)
}

func saidQuiescent(r *Reader, ctr uint64) bool {
	said := r.quiescent.Load()
	return said == 0 || said >= ctr
}

// NeedsQuiescent reports whether a grace period waits for readers in no section, until they
// call [Reader.Quiescent].
func (d *Domain) NeedsQuiescent() bool {
	if d.flavor.left == nil {
		return false
	}
	r := d.Register()
	defer r.Unregister()
	return !d.flavor.left(r, d.ctr.Load()+gpUnit)
}
