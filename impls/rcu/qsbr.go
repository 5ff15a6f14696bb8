package rcu

// qsbr interrupts no reader. Readers announce from time to time that they are in no section
// ([Reader.Quiescent]). A grace period waits until each reader has done so since begin. It
// models RCU-sched, where a context switch is the announcement. The exchange in Quiescent and
// the locked add of begin are the fences, so the barrier does nothing.
//
// Sections of qsbr need no code. Here they have the code of all flavours, and grace periods do
// not look at what it writes: a site (a place in the code that probes can be attached to) has
// one section inline for all flavours.
func qsbr(o Options) *Domain {
	return open(flavour{snap: wholeGracePeriod, barrier: func() {}, left: passedQuiescent}, o)
}

func passedQuiescent(r *Reader, ctr uint64) bool {
	seen := r.quiescent.Load() // pairs with Quiescent's exchange
	return seen == 0 || seen >= ctr
}

// NeedsQuiescent reports whether a grace period waits for readers in no section, until they
// call [Reader.Quiescent].
func (d *Domain) NeedsQuiescent() bool {
	if d.flavour.left == nil {
		return false
	}
	r := d.Register()
	defer r.Unregister()
	return !d.flavour.left(r, d.ctr.Load()+gpUnit)
}
