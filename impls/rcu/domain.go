package rcu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// The counter that outermost sections copy: the low bits count nesting, the rest
// the grace periods begun so far.
const (
	nestingMask = 1<<16 - 1
	gpUnit      = 1 << 16
)

// The two low bits of Domain.seq, as in the kernel's gp_seq: 0 is idle.
const (
	seqStateMask = 3
	seqUnit      = seqStateMask + 1
)

// A State remembers a moment; it is satisfied once a whole grace period has
// passed since. It is meaningful only to the Domain that gave it.
type State uint64

// After reports whether s is satisfied later than t, which the same Domain gave.
func (s State) After(t State) bool { return int64(s-t) > 0 } // the counter may wrap

// Counters are exact totals since the Domain was opened.
type Counters struct {
	Started   uint64 // grace periods begun, by whomever
	Waited    uint64 // Synchronize and CondSync calls that blocked for one
	Elided    uint64 // CondSync calls that returned at once: one had passed already
	Callbacks uint64 // deferred calls that have run
}

// Work is what the Domain's grace periods have done so far, beyond waiting for readers.
type Work struct {
	Legs  uint64 // waits one after the other: one for a grace period, two with chain
	Scans uint64 // srcu, chain: sums over all readers' counters, two for a grace period or more
	Items uint64 // rude: work items that have run, one on each CPU for a grace period
}

// Lazy is how long a deferred call waits for a grace period that somebody else
// pays for before the engine starts one. 10 ms is liburcu's nap, and about what
// a kernel's tick and force-quiescent-state scan come to.
const Lazy = 10 * time.Millisecond

// OnlyBarrier, as Options.Lazy, keeps the engine from ever starting a grace
// period of its own accord: deferred calls wait for Barrier. Tests that count
// grace periods need it.
const OnlyBarrier = time.Duration(1<<63 - 1)

// Options tune a Domain. The zero value is what benchmarks use.
type Options struct {
	Lazy time.Duration // 0 means the constant Lazy; OnlyBarrier holds the engine
	Pace time.Duration // flavour paced: the shortest a grace period may take; typical 1 ms
}

// A Domain is one grace-period engine and the readers it waits for.
type Domain struct {
	// ctr is what an outermost Lock copies into its reader's word. Written only
	// by a grace period, under mu; read by every reader. It has a cache line of
	// its own, so that readers share it quietly between grace periods.
	ctr atomic.Uint64
	_   [56]byte

	// seq is the kernel's gp_seq. Written under mu, read by anybody.
	seq atomic.Uint64

	flavor flavor
	pace   time.Duration

	// mu serialises grace periods: a caller that arrives in the middle of one
	// waits for its rest and then for a whole one, which it may share with
	// others. Outermost: nothing else is held when it is taken.
	mu sync.Mutex

	// readersMu protects readers and gone. It nests inside mu.
	readersMu sync.Mutex
	readers   []*Reader
	gone      srcuCounts // of readers that have unregistered

	calls deferred

	started, waited, elided, callbacks atomic.Uint64
	legs, scans, items                 atomic.Uint64 // see Work
}

// A flavor is all that distinguishes one engine from another.
type flavor struct {
	// snap is the snapshot rule: what Domain.seq will be when the grace period
	// has ended that satisfies a state taken at seq.
	snap func(seq uint64) uint64

	// barrier is U3 of the package's protocol.
	barrier func()

	// left reports whether r is in no section that began before ctr was
	// published, U4.
	left func(r *Reader, ctr uint64) bool

	// wait returns when done says so, U4's way to pass the time; nil means waitAwake.
	wait func(done func() bool)

	// watchesIdle: U4 looks at the words of idle readers as well ([Reader.EnterIdle]).
	watchesIdle bool

	// srcu says who stands in sections of SRCU. Grace periods wait for them first.
	srcu   srcuUse
	oneSum bool // busted: without S1

	// close, if not nil, ends what the flavour keeps running.
	close func()
}

func open(f flavor, o Options) *Domain {
	if f.wait == nil {
		f.wait = waitAwake
	}
	d := &Domain{flavor: f}
	d.ctr.Store(1)
	if o.Lazy == 0 {
		o.Lazy = Lazy
	}
	d.calls.start(d, o.Lazy)
	return d
}

// Close runs what was deferred and stops the engine. Readers must have
// unregistered, and nothing may be deferred any more.
func (d *Domain) Close() {
	d.calls.stop(d)
	if d.flavor.close != nil {
		d.flavor.close()
	}
}

// WatchesIdle reports whether grace periods wait for the sections of idle readers
// ([Reader.EnterIdle]).
func (d *Domain) WatchesIdle() bool { return d.flavor.watchesIdle || d.HasSRCU() }

// HasSRCU reports whether readers may enter sections of SRCU: DownRead and UpRead.
func (d *Domain) HasSRCU() bool { return d.flavor.srcu != srcuNever }

// Counters returns the totals so far.
func (d *Domain) Counters() Counters {
	return Counters{d.started.Load(), d.waited.Load(), d.elided.Load(), d.callbacks.Load()}
}

// Work returns what grace periods have done so far.
func (d *Domain) Work() Work { return Work{d.legs.Load(), d.scans.Load(), d.items.Load()} }

// Synchronize returns after a whole grace period. It must not be called inside a
// read section.
func (d *Domain) Synchronize() {
	d.waited.Add(1)
	d.gracePeriod()
}

// GetState takes a snapshot without asking for a grace period.
func (d *Domain) GetState() State {
	// smp_mb: the caller's unpublish comes before the counter's value, or the
	// grace period that satisfies the snapshot could have begun before it.
	// Pairs with the locked add that begins a grace period.
	return State(d.flavor.snap(d.seq.Add(0)))
}

// wholeGracePeriod is the kernel's rcu_seq_snap: the end of the next grace period, or
// of the one after that if one is under way, which may have looked at its readers
// already.
func wholeGracePeriod(seq uint64) uint64 {
	return (seq + seqUnit + seqStateMask) &^ seqStateMask
}

// StartPoll takes a snapshot and asks the engine for a grace period, without
// waiting for it.
func (d *Domain) StartPoll() State {
	s := d.GetState()
	d.calls.kickNow()
	return s
}

// Poll reports whether a whole grace period has passed since s was taken. If so,
// what readers did before it happens before Poll's return.
func (d *Domain) Poll(s State) bool {
	// The difference is signed so that the counter may wrap.
	return int64(d.seq.Add(0)-uint64(s)) >= 0
}

// CondSync returns at once if Poll(s), and calls Synchronize if not.
func (d *Domain) CondSync(s State) {
	if d.Poll(s) {
		d.elided.Add(1)
		return
	}
	d.Synchronize()
}

// gracePeriod returns after a whole grace period, its own or one that began
// while it stood in line.
func (d *Domain) gracePeriod() {
	s := d.GetState()
	step.Lock("rcu: in line", &d.mu)
	defer d.mu.Unlock()
	if d.Poll(s) {
		return
	}
	// Mark the grace period as under way before U2. A reader may enter right after U2, and
	// need not be waited for; a snapshot that is taken then must require the next one.
	d.seq.Add(1)
	step.At("rcu: under way")
	began := time.Now()
	if d.flavor.srcu != srcuNever && !d.flavor.oneSum {
		d.drain(1 - indexOf(d.ctr.Load())) // S1
	}
	ctr := d.flip()
	d.started.Add(1) // who sees it counted enters sections after U2
	if d.flavor.srcu != srcuNever {
		d.drain(1 - indexOf(ctr)) // S2
		d.legs.Add(1)
	}
	if d.flavor.srcu != srcuAlways {
		d.flavor.barrier() // U3
		for _, r := range d.registered() {
			d.flavor.wait(func() bool { // U4
				return !d.flavor.watchesIdle && r.idle.Load() || d.flavor.left(r, ctr)
			})
		}
		d.legs.Add(1)
	}
	if d.pace > 0 {
		sleep(d.pace - time.Since(began))
	}
	raceAcquireRelease(d)
	// Idle again: from 4k+1 to 4k+4. An add, since to the race detector a store would
	// forget what sections that have ended meanwhile told it (raceAcquireRelease).
	d.seq.Add(seqUnit - 1)
}

// flip is U2. The schedule point belongs to it, so that nothing comes in between.
func (d *Domain) flip() (ctr uint64) {
	ctr = d.ctr.Add(gpUnit)
	step.At("rcu: begun")
	return ctr
}

// underWay reports whether a grace period has begun and not ended.
func (d *Domain) underWay() bool { return d.seq.Load()&seqStateMask != 0 }

// registered copies the list of readers. One that registers later cannot be in a
// section from before U1: readersMu orders U1 before it.
func (d *Domain) registered() []*Reader {
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	return slices.Clone(d.readers)
}

// waitAwake polls: first on the CPU, as sections are short, then from sleep, as their
// thread may have been preempted by ours.
func waitAwake(done func() bool) {
	for spins := 0; !done(); spins++ {
		step.Wait("rcu: waits for a reader")
		if spins < 1000 {
			pause()
		} else {
			sleep(50 * time.Microsecond)
		}
	}
}
