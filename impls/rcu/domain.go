package rcu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// The layout of Domain.ctr and Reader.word: the low bits count nested sections, the rest
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
	Started   uint64 // grace periods begun, for any reason
	Waited    uint64 // Synchronize and CondSync calls that blocked for one
	Elided    uint64 // CondSync calls that returned at once: a grace period had passed already
	Callbacks uint64 // deferred calls that have run
}

// Work is what the Domain's grace periods have done so far, beyond waiting for readers.
type Work struct {
	Legs  uint64 // waits: two for each grace period of chain, one for each of the other flavours
	Scans uint64 // srcu, chain: sums over all readers' counters, two or more for each grace period
	Items uint64 // rude: work items that have run, one on each CPU for each grace period
}

// Lazy is how long a callback waits for a grace period that a caller starts, before the
// engine starts one for it. liburcu sleeps 10 ms too, and a kernel's tick and its scan for
// quiescent states take about as long.
const Lazy = 10 * time.Millisecond

// OnlyBarrier, as Options.Lazy, keeps the engine from starting grace periods for callbacks:
// they wait for Barrier, or for a caller's grace period. Tests that count grace periods
// need it.
const OnlyBarrier = time.Duration(1<<63 - 1)

// Options tune a Domain. The zero value is what benchmarks use.
type Options struct {
	Lazy time.Duration // 0 means the constant Lazy; OnlyBarrier holds the engine
	Pace time.Duration // flavour paced: the least time that a grace period takes; 0 means DefaultPace
}

// A Domain is one grace-period engine and the readers it waits for.
type Domain struct {
	// ctr is what an outermost Lock copies into its reader's word. Written only by a grace
	// period, under mu; read by every reader. It has a cache line of its own, which only
	// grace periods invalidate.
	ctr atomic.Uint64
	_   [56]byte

	// seq is the kernel's gp_seq. Written under mu, read without it.
	seq atomic.Uint64

	flavour flavour
	pace    time.Duration

	// mu serialises grace periods. A caller that arrives in the middle of one waits until it
	// ends, and then for a whole one, which several callers may share. A caller holds no
	// other lock of this package when it takes mu.
	mu sync.Mutex

	// readersMu protects readers and unregistered. It nests inside mu.
	readersMu    sync.Mutex
	readers      []*Reader
	unregistered srcuCounts // the sum of the counts of readers that have unregistered

	calls deferred

	started, waited, elided, callbacks atomic.Uint64
	legs, scans, items                 atomic.Uint64 // see Work
}

// A flavour is what distinguishes one engine from another.
type flavour struct {
	// snap is the snapshot rule. A state that is taken at seq is satisfied by a grace
	// period; snap returns the value of Domain.seq when that grace period has ended.
	snap func(seq uint64) uint64

	// barrier is the step of that name in the package's protocol.
	barrier func()

	// left reports whether r is in no section from before begin, which set the counter to
	// ctr. The scan calls it.
	left func(r *Reader, ctr uint64) bool

	// wait calls done until it returns true; nil means waitAwake.
	wait func(done func() bool)

	// watchesIdle: the scan looks at the words of idle readers too ([Reader.EnterIdle]).
	watchesIdle bool

	// srcu says which readers enter sections of SRCU. Grace periods wait for those first.
	srcu   srcuUse
	oneSum bool // busted: leaves the first sum out

	// close, if not nil, ends what the flavour keeps running.
	close func()
}

func open(f flavour, o Options) *Domain {
	if f.wait == nil {
		f.wait = waitAwake
	}
	d := &Domain{flavour: f}
	d.ctr.Store(1)
	if o.Lazy == 0 {
		o.Lazy = Lazy
	}
	d.calls.start(d, o.Lazy)
	return d
}

// Close runs all callbacks and stops the engine. Readers must have unregistered, and Call may
// not be called any more.
func (d *Domain) Close() {
	d.calls.stop(d)
	if d.flavour.close != nil {
		d.flavour.close()
	}
}

// WatchesIdle reports whether grace periods wait for the sections of idle readers
// ([Reader.EnterIdle]).
func (d *Domain) WatchesIdle() bool { return d.flavour.watchesIdle || d.HasSRCU() }

// HasSRCU reports whether readers may enter sections of SRCU: DownRead and UpRead.
func (d *Domain) HasSRCU() bool { return d.flavour.srcu != srcuNever }

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

// GetState takes a snapshot. It does not start a grace period.
func (d *Domain) GetState() State {
	// The locked add is the kernel's smp_mb. It orders the caller's unpublish before the
	// load of the counter. Without it, the grace period that satisfies the snapshot could
	// have begun before the unpublish. Pairs with the locked add that marks a grace period
	// as under way.
	return State(d.flavour.snap(d.seq.Add(0)))
}

// wholeGracePeriod is the kernel's rcu_seq_snap: the end of the next grace period. If one is
// under way, it may have looked at its readers already: then it is the end of the one after.
func wholeGracePeriod(seq uint64) uint64 {
	return (seq + seqUnit + seqStateMask) &^ seqStateMask
}

// StartPoll takes a snapshot and has the engine start a grace period. It does not wait.
func (d *Domain) StartPoll() State {
	s := d.GetState()
	d.calls.startSoon()
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

// gracePeriod returns after a whole grace period: its own, or one that began while it waited
// for mu.
func (d *Domain) gracePeriod() {
	s := d.GetState()
	step.Lock("rcu: in line", &d.mu)
	defer d.mu.Unlock()
	if d.Poll(s) {
		return
	}
	// Mark the grace period as under way before begin. This grace period does not wait for a
	// reader that enters right after begin. So a snapshot that is taken then must require
	// the next grace period.
	d.seq.Add(1)
	step.At("rcu: under way")
	began := time.Now()
	if d.flavour.srcu != srcuNever && !d.flavour.oneSum {
		d.waitEmpty(1 - indexOf(d.ctr.Load())) // first sum
	}
	ctr := d.begin()
	d.started.Add(1) // a thread that sees this count enters sections from after begin
	if d.flavour.srcu != srcuNever {
		d.waitEmpty(1 - indexOf(ctr)) // second sum
		d.legs.Add(1)
	}
	if d.flavour.srcu != srcuAlways {
		d.flavour.barrier()
		for _, r := range d.registered() { // scan
			d.flavour.wait(func() bool {
				return !d.flavour.watchesIdle && r.idle.Load() || d.flavour.left(r, ctr)
			})
		}
		d.legs.Add(1)
	}
	if d.pace > 0 {
		sleep(d.pace - time.Since(began))
	}
	raceAcquireRelease(d)
	// No grace period is under way any more: from 4k+1 to 4k+4. This is an add and not a
	// store, because a store would make the race detector forget the sections that have
	// ended meanwhile (raceAcquireRelease).
	d.seq.Add(seqUnit - 1)
}

// begin is the step of that name. It pairs with the readers' copy. Its schedule point comes
// right after the add.
func (d *Domain) begin() (ctr uint64) {
	ctr = d.ctr.Add(gpUnit)
	step.At("rcu: begun")
	return ctr
}

// underWay reports whether a grace period has begun and not ended.
func (d *Domain) underWay() bool { return d.seq.Load()&seqStateMask != 0 }

// registered copies the list of readers. A reader that registers later is in no section from
// before the unpublish: readersMu orders the unpublish before its registration.
func (d *Domain) registered() []*Reader {
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	return slices.Clone(d.readers)
}

// waitAwake first polls without sleeping, because most sections are short. Then it sleeps
// between polls, because this thread may hold the CPU that the reader needs.
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
