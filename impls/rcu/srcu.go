package rcu

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// srcu: readers count themselves in and out, with full fences, and a grace period adds
// up. A section may sleep, may be left by another Reader than entered it
// ([Reader.DownRead]), and needs nobody's watching: what is not counted out is inside.
// It is kernel/rcu/srcutree.c, one level deep, with a reader's counters where the kernel
// has a CPU's.
//
//	CPU0, updater                          CPU1, reader
//	U1 unpublish
//	S1 sum the index not in use,
//	   until nobody is in it
//	                                       L1 i = the index in use
//	U2 flip: the other index is in use
//	S2 sum the index of before,            L2 lock[i] += 1
//	   until nobody is in it                  B full fence
//	                                       L3 p = what is published
//	                                       L4 use p
//	                                          C full fence
//	U5 reuse                               L5 unlock[i] += 1
//
// The index in use is a bit of Domain.ctr, so that U2 is the flip; its locked add is a
// full fence before (E) and after (D).
//
//  1. A sum reads every unlock before any lock (A), and whoever has been counted out has
//     been counted in before that. So the locks are never behind the unlocks, and are
//     ahead if somebody was in when the sum began and is when it ends.
//  2. A reader whose L3 does not see U1 has done its L2 when a sum looks: B stands
//     between L2 and L3, a fence between U1 and the sums.
//  3. If it read the index before U2 and after the flip before that, S2 looks at
//     that index. If it read it after U2, L3 sees U1.
//  4. If it read its index before the flip of an earlier grace period, and was held up
//     between L1 and L2, it is counted under the index not in use. S2 does not look
//     there; that is what S1 is for.
//
// One flip and two sums, then. Without S1, a reader as in 4 would be overlooked; without
// the flip, S2 might never see an empty index while readers come and go.
//
// Nested sections count each time, as the kernel's do, under the index of the outermost:
// Unlock is not told which one.
func srcu(o Options) *Domain {
	return open(flavor{snap: wholeGracePeriod, srcu: srcuAlways}, o)
}

// srcuUse says when a reader's Lock enters a section of SRCU.
type srcuUse int

const (
	srcuNever srcuUse = iota
	srcuAlways
	srcuIdle // only while it is idle
)

// srcuCounts are one reader's sections, by index. Written by the owner with plain
// stores, read by sums.
type srcuCounts struct{ locks, unlocks [2]uint64 }

// indexOf is the index that is in use while the counter is ctr.
func indexOf(ctr uint64) uint64 { return ctr / gpUnit & 1 }

// DownRead enters a section of SRCU that another Reader of the Domain may leave, on
// another thread, with what DownRead returned: srcu_down_read. It does not nest in the
// Reader's own sections, and the Reader may go idle, and be unregistered, before
// that. It is for flavours that have SRCU: srcu and chain.
func (r *Reader) DownRead() int {
	r.needSRCU()
	i := indexOf(r.ctr.Load()) // L1
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
	if r.domain.flavor.srcu == srcuNever {
		panic("rcu: this flavour has no sections of SRCU")
	}
}

// lockOuter is srcu_read_lock, which remembers the index.
func (r *Reader) lockOuter() {
	if r.outerDepth == 0 {
		r.outerIndex = indexOf(r.ctr.Load()) // L1
		step.At("rcu: index taken")
	}
	r.outerDepth++
	srcuLock(&r.counts.locks[r.outerIndex])
}

// unlockOuter is srcu_read_unlock.
func (r *Reader) unlockOuter() {
	r.outerDepth--
	srcuUnlock(&r.counts.unlocks[r.outerIndex])
}

// drain returns when nobody is counted under the index: S1 and S2.
func (d *Domain) drain(index uint64) {
	d.flavor.wait(func() bool { return d.empty(index) })
}

// empty sums up: srcu_readers_active_idx_check.
func (d *Domain) empty(index uint64) bool {
	d.scans.Add(1)
	// Under readersMu no reader's counters move to gone in the middle of a sum.
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	unlocks := d.gone.unlocks[index]
	for _, r := range d.readers {
		unlocks += atomic.LoadUint64(&r.counts.unlocks[index])
	}
	// A. x86 keeps loads in order; the kernel has smp_mb here.
	locks := d.gone.locks[index]
	for _, r := range d.readers {
		locks += atomic.LoadUint64(&r.counts.locks[index])
	}
	return locks == unlocks
}

// bury adds the counters of a reader that goes to those of who has gone: its sections may
// have been left by others, or others' by it. readersMu must be held.
func (d *Domain) bury(r *Reader) {
	for i := range 2 {
		d.gone.locks[i] += r.counts.locks[i]
		d.gone.unlocks[i] += r.counts.unlocks[i]
	}
}
