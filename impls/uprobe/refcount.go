package uprobe

// The reference word as the kernel's refcount_t: a count that warns of misuse.

// saturated is the value that a misused count keeps. It is far from 0 and from the largest
// value, so that no later get or put takes it to 0, where the uprobe would be freed.
const saturated = 1 << 31

// refInc is refcount_inc.
func refInc(t *Table, u *Uprobe) {
	if u.ref.Add(1) == 1 {
		u.ref.Store(saturated)
		t.warn(WarnZero)
	}
}

// refIncNotZero is refcount_inc_not_zero.
func refIncNotZero(u *Uprobe) bool {
	for {
		n := u.ref.Load()
		if n == 0 {
			return false
		}
		if u.ref.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// refDec is refcount_dec_and_test.
func refDec(t *Table, u *Uprobe) bool {
	switch n := u.ref.Add(^uint64(0)); {
	case n == 0:
		return true
	case n >= saturated:
		u.ref.Store(saturated)
		t.warn(WarnUnder)
	}
	return false
}
