package rcu

import (
	"slices"
	"sync/atomic"
	"unsafe"
)

// A Reader is one thread's (or goroutine's) standing in a Domain. Only its owner
// calls its methods.
//
// The first two words are also used by assembler in package dispatch, whose sites
// carry the same section inline; WordOffset and CtrOffset are their contract.
type Reader struct {
	// word is 0 in its low 16 bits outside any section; inside, they count the
	// nesting and the rest is the Domain.ctr that the outermost Lock read.
	// Written only by the owner with plain stores, read by grace periods.
	word uint64

	ctr *atomic.Uint64 // the Domain's

	// quiescent is the Domain.ctr seen at the last quiescent state, 0 when the
	// reader has gone. Written by the owner; read by qsbr's grace periods.
	quiescent atomic.Uint64

	domain *Domain

	// idle says that the reader is not watched. Written by the owner; read by grace
	// periods, of which some then take the reader for quiescent.
	idle atomic.Bool

	// outer says that Lock enters a section of SRCU around the word's, outerDepth
	// how many of those are open, outerIndex where they are counted. The owner's.
	outer      bool
	outerDepth uint32
	outerIndex uint64
	counts     srcuCounts

	_ [40]byte // two lines of its own: the adjacent-line prefetcher pairs them
}

// Offsets of the fields that sites in assembler use.
const (
	WordOffset = unsafe.Offsetof(Reader{}.word)
	CtrOffset  = unsafe.Offsetof(Reader{}.ctr)
)

// Register adds a reader to the Domain.
func (d *Domain) Register() *Reader {
	r := &Reader{ctr: &d.ctr, domain: d, outer: d.flavor.srcu == srcuAlways}
	r.quiescent.Store(d.ctr.Load())
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	d.readers = append(d.readers, r)
	return r
}

// Unregister takes the reader out. It must stand outside every section.
func (r *Reader) Unregister() {
	if r.word&nestingMask != 0 {
		panic("rcu: reader unregistered inside a read section")
	}
	r.quiescent.Store(0)
	d := r.domain
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	d.bury(r)
	d.readers = slices.DeleteFunc(d.readers, func(x *Reader) bool { return x == r })
}

// Lock enters a read section. Sections nest, up to 65,535 deep.
func (r *Reader) Lock() {
	if r.outer {
		r.lockOuter()
	}
	readLock(r)
	raceAcquireRelease(r.domain)
}

// Unlock leaves the innermost section.
func (r *Reader) Unlock() {
	if r.word&nestingMask == 0 {
		panic("rcu: reader left a read section that it had not entered")
	}
	raceAcquireRelease(r.domain)
	readUnlock(r)
	if r.outerDepth > 0 {
		r.unlockOuter()
	}
}

// Inline reports whether the word's section, which sites carry inline, is all that Lock
// would enter. Else sites are to be passed inside Lock and Unlock.
func (r *Reader) Inline() bool { return !r.outer }

// Quiescent says that the reader is in no section, which is all that the flavour
// qsbr ever learns of it. The others ignore it. Readers call it between pieces
// of work, and often: qsbr's grace periods wait for it.
func (r *Reader) Quiescent() {
	// The exchange is a full fence: sections before it are over before the
	// store, loads of sections after it come later. Pairs with U2.
	r.quiescent.Store(r.ctr.Load())
}

// EnterIdle says that from now on the reader is not watched, as ct_idle_enter does of a
// CPU: on its way into the idle loop, into user space or, in the kernel, in the code
// that does the watching. Grace periods need not ask it anything: qsbr, memb, paced and
// kernelgp, as vanilla RCU, take it for quiescent, and so overlook the sections that
// it enters all the same. Those of flavours that watch idle readers
// ([Domain.WatchesIdle]) do wait for them. EnterIdle must be called outside sections.
//
//	CPU0, updater                      CPU1, reader
//	                                   Unlock, L5
//	                                   EnterIdle: idle = true
//	U1 unpublish
//	U2
//	U4 idle: quiescent
//	                                   Lock, L3: whatever is published,
//	U5 reuse                           L4 perhaps reused under it
//
// The store comes after L5, which pairs with U4's load of it: a reader that U4 sees
// idle has left its earlier sections.
func (r *Reader) EnterIdle() {
	if r.word&nestingMask != 0 || r.idle.Load() {
		panic("rcu: reader went idle inside a read section, or twice")
	}
	r.idle.Store(true)
	r.outer = r.domain.flavor.srcu != srcuNever
}

// ExitIdle is EnterIdle's end, as ct_idle_exit is: the reader is watched again. It must
// be called outside sections.
//
// The exchange is a full fence, which pairs with U2: a grace period that did not see it,
// and took the reader for idle, has done its U1 before any load of the sections that
// follow. That the reader was idle is a quiescent state, and qsbr is told so.
func (r *Reader) ExitIdle() {
	if r.word&nestingMask != 0 || !r.idle.Load() {
		panic("rcu: reader left idle inside a read section, or was not idle")
	}
	r.idle.Store(false)
	r.outer = r.domain.flavor.srcu == srcuAlways
	r.Quiescent()
}

// leftSection is the flavours' left for readers that keep their word.
func leftSection(r *Reader, ctr uint64) bool {
	word := atomic.LoadUint64(&r.word)
	return word&nestingMask == 0 || word >= ctr
}
