package rcu

//go:noescape
func readLock(r *Reader)

//go:noescape
func readUnlock(r *Reader)

// pause is the spin-wait hint.
func pause()

//go:noescape
func sections(r *Reader, n int)

// Sections enters and leaves n read sections, n > 0: the timed loop of the
// benchmark ReadSide, in assembler.
func (r *Reader) Sections(n int) { sections(r, n) }
