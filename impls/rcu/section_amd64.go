package rcu

//go:noescape
func readLock(r *Reader)

//go:noescape
func readUnlock(r *Reader)

// pause is the spin-wait hint.
func pause()

//go:noescape
func sections(r *Reader, n int)

//go:noescape
func srcuLock(count *uint64)

//go:noescape
func srcuUnlock(count *uint64)

//go:noescape
func srcuSections(r *Reader, n int)

// Sections enters and leaves n read sections, n > 0. It is the timed loop of the benchmark
// ReadSide.
func (r *Reader) Sections(n int) {
	if r.usesSRCU {
		srcuSections(r, n)
		return
	}
	sections(r, n)
}
