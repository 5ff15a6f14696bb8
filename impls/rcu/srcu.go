package rcu

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// srcu: readers count the sections that they enter and leave, with full fences, and a grace
// period adds the counts up. A section may sleep, and another Reader may leave it
// ([Reader.DownRead]). Nothing has to watch the readers: a section that is counted as entered
// and not as left is open. It models kernel/rcu/srcutree.c with one level; where the kernel
// has a CPU's counters it has a reader's.
//
// There are two pairs of counters. The one that new sections use is the index in use. To flip
// is to make the other index the one in use.
//
//	CPU0, updater                          CPU1, reader
//	unpublish
//	first sum: add up the index that is
//	   not in use, until it has no
//	   open section
//	                                       copy:  i = the index in use
//	begin: flip, the other index is in use
//	second sum: add up the index that      enter: lock[i] += 1
//	   was in use before the flip, until   fence B
//	   it has no open section              load:  p = what is published
//	                                       use p
//	                                       fence C
//	reuse                                  leave: unlock[i] += 1
//
// The index in use is a bit of Domain.ctr, so begin is the flip. Its locked add is a full
// fence before (the kernel's E) and after (D).
//
//  1. A sum reads every unlock before any lock (the kernel's fence A). A section is counted as
//     entered before it is counted as left. So a sum never finds more unlocks than locks. It
//     finds more locks if a section was open from the sum's beginning to its end.
//  2. If a reader's load does not see unpublish, its enter comes before the sums look: fence B
//     stands between enter and load, and a fence stands between unpublish and the sums.
//  3. If that reader copied the index before this flip and after the flip before it, the second
//     sum looks at that index. If it copied the index after this flip, load sees unpublish.
//  4. If it copied the index before the flip of an earlier grace period, and was delayed
//     between copy and enter, it is counted under the index that is not in use. The second sum
//     does not look there. The first sum does.
//
// So there are one flip and two sums. Without the first sum, a grace period would not wait for
// a reader as in 4. Without the flip, the second sum might never find an index without open
// sections, because readers come and go.
//
// As in the kernel, nested sections are counted each. They use the index of the outermost
// section, because Unlock has no argument that tells the index.
func srcu(o Options) *Domain {
	return open(flavour{snap: wholeGracePeriod, srcu: srcuAlways}, o)
}

// srcuUse says when a reader's Lock enters a section of SRCU.
type srcuUse int

const (
	srcuNever srcuUse = iota
	srcuAlways
	srcuIdle // only while it is idle
)

// srcuCounts are one reader's sections, by index. Written by the owner with plain stores,
// read by sums.
type srcuCounts struct{ locks, unlocks [2]uint64 }

// indexOf is the index that is in use while the counter is ctr.
func indexOf(ctr uint64) uint64 { return ctr / gpUnit & 1 }

// DownRead enters a section of SRCU and returns its index. It is srcu_down_read: another
// Reader of the Domain, on another thread, may leave the section by UpRead with that index.
// The section does not nest in the Reader's own sections, and before UpRead the Reader may go
// idle and unregister. Only flavours with SRCU have it: srcu and chain.
func (r *Reader) DownRead() int {
	r.needSRCU()
	i := indexOf(r.ctr.Load()) // copy; pairs with begin
	step.At("rcu: index taken")
	srcuLock(&r.counts.locks[i])
	raceAcquireRelease(r.domain)
	return int(i)
}

// UpRead leaves a section that DownRead entered: srcu_up_read.
func (r *Reader) UpRead(index int) {
	r.needSRCU()
	raceAcquireRelease(r.domain)
	srcuUnlock(&r.counts.unlocks[index])
}

func (r *Reader) needSRCU() {
	if r.domain.flavour.srcu == srcuNever {
		panic("rcu: this flavour has no sections of SRCU")
	}
}

// enterSRCU is srcu_read_lock. It remembers the index of the outermost section.
func (r *Reader) enterSRCU() {
	if r.srcuDepth == 0 {
		r.srcuIndex = indexOf(r.ctr.Load()) // copy; pairs with begin
		step.At("rcu: index taken")
	}
	r.srcuDepth++
	srcuLock(&r.counts.locks[r.srcuIndex])
}

// leaveSRCU is srcu_read_unlock.
func (r *Reader) leaveSRCU() {
	r.srcuDepth--
	srcuUnlock(&r.counts.unlocks[r.srcuIndex])
}

// waitEmpty returns when the index has no open section. It is the first and the second sum.
func (d *Domain) waitEmpty(index uint64) {
	d.flavour.wait(func() bool { return d.empty(index) })
}

// empty adds up once and reports whether the index has no open section:
// srcu_readers_active_idx_check.
func (d *Domain) empty(index uint64) bool {
	d.scans.Add(1)
	// readersMu keeps the counts of a reader that unregisters from being added twice, or
	// not at all.
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	unlocks := d.unregistered.unlocks[index]
	for _, r := range d.readers {
		unlocks += atomic.LoadUint64(&r.counts.unlocks[index]) // pairs with leave
	}
	// Fence A: x86 keeps loads in order; the kernel has smp_mb here.
	locks := d.unregistered.locks[index]
	for _, r := range d.readers {
		locks += atomic.LoadUint64(&r.counts.locks[index]) // pairs with enter
	}
	return locks == unlocks
}

// keepCounts keeps the counts of a reader that unregisters. Another reader may leave a section
// that this one entered, or the reverse. readersMu must be held.
func (d *Domain) keepCounts(r *Reader) {
	for i := range 2 {
		d.unregistered.locks[i] += r.counts.locks[i]
		d.unregistered.unlocks[i] += r.counts.unlocks[i]
	}
}
