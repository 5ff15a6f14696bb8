package rcu

import (
	"slices"
	"sync/atomic"
	"unsafe"
)

// A Reader is one thread's (or goroutine's) registration with a Domain. Only that thread, its
// owner, calls its methods.
//
// Assembler in package dispatch uses the first two fields too: there each site (a place in the
// code that probes can be attached to) has a section inline. It finds the fields by WordOffset
// and CtrOffset.
type Reader struct {
	// word is 0 in its low 16 bits while the reader is in no section. Inside, these bits
	// count nested sections, and the rest is the Domain.ctr that the outermost Lock copied.
	// Written only by the owner with plain stores, read by grace periods.
	word uint64

	ctr *atomic.Uint64 // the Domain's

	// quiescent is the Domain.ctr seen at the last quiescent state, or 0 when the reader has
	// unregistered. Written by the owner; read by qsbr's grace periods.
	quiescent atomic.Uint64

	domain *Domain

	// idle: the reader is idle. Written by the owner; read by grace periods, of which some
	// then take the reader for quiescent.
	idle atomic.Bool

	// Only the owner writes what follows. Sums read counts; only the owner reads the rest.
	usesSRCU  bool   // Lock enters a section of SRCU around the word's
	srcuDepth uint32 // open sections of SRCU
	srcuIndex uint64 // the index under which they are counted
	counts    srcuCounts

	_ [40]byte // fills two cache lines: the adjacent-line prefetcher fetches pairs
}

// Offsets of the fields that sites in assembler use.
const (
	WordOffset = unsafe.Offsetof(Reader{}.word)
	CtrOffset  = unsafe.Offsetof(Reader{}.ctr)
)

// Register adds a reader to the Domain.
func (d *Domain) Register() *Reader {
	r := &Reader{ctr: &d.ctr, domain: d, usesSRCU: d.flavour.srcu == srcuAlways}
	r.quiescent.Store(d.ctr.Load())
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	d.readers = append(d.readers, r)
	return r
}

// Unregister takes the reader out of its Domain. The reader must be in no section.
func (r *Reader) Unregister() {
	if r.word&nestingMask != 0 {
		panic("rcu: reader unregistered inside a read section")
	}
	r.quiescent.Store(0)
	d := r.domain
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	d.keepCounts(r)
	d.readers = slices.DeleteFunc(d.readers, func(x *Reader) bool { return x == r })
}

// Lock enters a read section. Sections nest, up to 65,535 deep.
func (r *Reader) Lock() {
	if r.usesSRCU {
		r.enterSRCU()
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
	if r.srcuDepth > 0 {
		r.leaveSRCU()
	}
}

// Inline reports whether Lock enters only the word's section, which sites have inline. If
// not, the reader must call Lock before it executes a site, and Unlock after it.
func (r *Reader) Inline() bool { return !r.usesSRCU }

// Quiescent announces that the reader is in no section. Grace periods of the flavour qsbr wait
// for this call, so readers make it often, between pieces of work. The other flavours ignore
// it.
func (r *Reader) Quiescent() {
	// Store is an exchange, a full fence. Earlier sections end before it, and later
	// sections load after it. Pairs with begin.
	r.quiescent.Store(r.ctr.Load())
}

// EnterIdle makes the reader idle. It models ct_idle_enter, which the kernel calls for a CPU on
// its way into the idle loop or into user space, and in the code of RCU's own watching. It must
// be called outside sections. A flavour that does not watch idle readers (see the package's Idle
// readers) takes an idle reader for quiescent:
//
//	CPU0, updater                      CPU1, reader
//	                                   leave (Unlock)
//	                                   EnterIdle: idle = true
//	unpublish
//	begin
//	scan: idle, so quiescent
//	                                   enter (Lock)
//	                                   load: p, unpublished or not
//	reuse                              use p, which may be reused under it
//
// The store of idle comes after leave's store. The scan's load of idle pairs with it: a reader
// that the scan finds idle has left its earlier sections.
func (r *Reader) EnterIdle() {
	if r.word&nestingMask != 0 || r.idle.Load() {
		panic("rcu: reader went idle inside a read section, or twice")
	}
	r.idle.Store(true)
	r.usesSRCU = r.domain.flavour.srcu != srcuNever
}

// ExitIdle ends EnterIdle: the reader is watched again. It models ct_idle_exit, and must be
// called outside sections.
//
// The store of idle is an exchange, a full fence, which pairs with begin. If a grace period's
// scan does not see it and takes the reader for idle, that grace period's unpublish comes
// before every load of the sections that follow. Being idle is a quiescent state, so ExitIdle
// also announces one, for qsbr.
func (r *Reader) ExitIdle() {
	if r.word&nestingMask != 0 || !r.idle.Load() {
		panic("rcu: reader left idle inside a read section, or was not idle")
	}
	r.idle.Store(false)
	r.usesSRCU = r.domain.flavour.srcu == srcuAlways
	r.Quiescent()
}

// leftSection is flavour.left for the flavours that read the readers' words.
func leftSection(r *Reader, ctr uint64) bool {
	word := atomic.LoadUint64(&r.word)
	return word&nestingMask == 0 || word >= ctr
}
