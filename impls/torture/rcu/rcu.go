// Package rcu attacks the flavours of grace periods. Readers look up an object in read
// sections while updaters replace it, wait for a grace period and free it. A reader that finds
// the object older or freed within its section has seen a grace period that was too short.
//
//   - An [object]'s age is the number of grace periods that the updater has waited since it
//     removed the object: what rcutorture calls the pipe count.
//   - A form is the way in which an updater waited, "GetState and CondSync" for one.
//
// The other words are those of package torture.
package rcu

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/torture"
)

// Subjects lists the flavours.
func Subjects() []torture.Subject { return torture.Subjects("rcu", rcu.Variants(), attackFlavour) }

const (
	readers  = 2
	updaters = 2
)

// An object is what readers look up and updaters replace.
type object struct {
	magic      uint64
	generation uint64
	age        uint64    // by atomic operations: readers look while updaters count
	_          [5]uint64 // a cache line
}

// A flavourAttack is one attack on a flavour:
//
//	CPU0, updater                     CPU1, reader
//	                                  Lock, once or nested
//	                                  o = published
//	removes o                         delay, seldom: GetState
//	waits, in a way drawn at random
//	age 1, perhaps waits again        looks at o: alive, and of age 0?
//	frees o: poison                   Poll must be false
//	                                  Unlock
//
// If the flavour watches idle readers, readers enter sections while idle, too. Every reader and
// every updater is a thread. With two CPUs one of each shares a CPU, and the kernel preempts
// readers inside sections.
type flavourAttack struct {
	*torture.Attack
	domain    *rcu.Domain
	objects   *slab.Slab[object]
	published atomic.Pointer[[1]object]
	removals  sync.Map       // for a *[1]object, how it was removed last
	handed    sync.WaitGroup // sections that other threads have still to leave

	// updating counts the updaters that have not ended. Readers go on until it is 0, since
	// a grace period may wait for their quiescent states.
	updating atomic.Int32
}

func attackFlavour(a *torture.Attack, open func(rcu.Options) *rcu.Domain) error {
	// A short nap keeps the engine as busy as its callers.
	d := open(rcu.Options{Lazy: 100 * time.Microsecond})
	defer d.Close()
	a.CountGracePeriods(d)
	t := &flavourAttack{Attack: a, domain: d, objects: slab.New(object{magic: torture.Poison})}
	o, err := t.create()
	if err != nil {
		return err
	}
	t.published.Store(o)

	var list []torture.Thread
	for i := range readers {
		list = append(list, torture.Thread{CPU: i, Run: t.newReader(i).run})
	}
	t.updating.Store(updaters)
	for i := range updaters {
		n := readers + i
		list = append(list, torture.Thread{CPU: n, Run: (&updater{flavourAttack: t, id: i, rnd: a.Rand(n)}).run})
	}
	err = a.Launch(list...)
	t.handed.Wait()
	return err
}

// create returns a new object, not published yet.
func (t *flavourAttack) create() (*[1]object, error) {
	slot, err := t.objects.Alloc()
	if err != nil {
		return nil, err
	}
	slot[0] = object{magic: torture.Alive, generation: t.objects.Generation(slot)}
	return (*[1]object)(slot), nil
}

// A reader is one reader's thread.
type reader struct {
	*flavourAttack
	id     int
	rnd    *rand.Rand
	reader *rcu.Reader
	depth  int                    // of the section under way
	memory *[1 << coldBits]uint64 // for cold: more than caches hold
}

const (
	plainSections = 4096 // between two long ones
	coldSections  = 128  // in a row
	coldBits      = 22   // of an index into memory: 32 MB for each reader
)

func (t *flavourAttack) newReader(id int) *reader {
	r := &reader{flavourAttack: t, id: id, rnd: t.Rand(id), memory: new([1 << coldBits]uint64)}
	for i := 0; i < len(r.memory); i += 512 {
		r.memory[i] = 1 // fault the page in
	}
	return r
}

func (t *reader) run() error {
	t.reader = t.domain.Register()
	defer t.reader.Unregister()
	for t.updating.Load() > 0 {
		t.maybeIdle(t.plain)
		t.maybeIdle(t.long)
		t.Passed(t.id, plainSections+1)
		// A flavour of SRCU may overlook a reader that was interrupted before it counted itself in.
		// Only sections that last for a grace period of SRCU, which is short, show that.
		if t.domain.HasSRCU() || t.rnd.IntN(4) == 0 {
			t.maybeIdle(t.cold)
			t.Passed(t.id, coldSections)
		}
		if t.domain.HasSRCU() {
			t.handOver()
			t.Passed(t.id, 1)
		}
	}
	return nil
}

// maybeIdle passes sections, one time in four while the reader is idle, if the flavour waits
// for idle readers (G5). If it does not, the reader is idle just before.
func (t *reader) maybeIdle(sections func()) {
	if t.rnd.IntN(4) > 0 {
		sections()
		return
	}
	t.reader.EnterIdle()
	if t.domain.WatchesIdle() {
		sections()
		t.reader.ExitIdle()
		return
	}
	torture.Spin(t.rnd.Uint32N(1 << t.rnd.IntN(14)))
	t.reader.ExitIdle()
	sections()
}

// handOver enters a section of SRCU that another thread leaves.
func (t *reader) handOver() {
	index := t.reader.DownRead()
	o := t.published.Load()
	generation := o[0].generation
	looks := t.rnd.Uint32N(1 << t.rnd.IntN(12))
	other := *t
	other.depth = 1
	t.handed.Go(func() {
		r := t.domain.Register()
		defer r.Unregister()
		for range looks {
			other.look(o, generation)
			torture.Spin(50)
		}
		other.look(o, generation)
		r.UpRead(index)
	})
}

// plain passes sections that only look their object up.
func (t *reader) plain() {
	depths := t.rnd.Uint64()
	for i := range plainSections {
		t.depth = 1
		if i&15 == 0 {
			t.depth += int(depths & 3)
			depths >>= 1
		}
		for range t.depth {
			t.reader.Lock()
		}
		o := t.published.Load()
		generation := o[0].generation
		for range t.depth - 1 {
			t.reader.Unlock() // does not end the section
		}
		t.look(o, generation)
		t.reader.Unlock()
		if i&63 == 63 {
			t.reader.Quiescent()
		}
	}
}

// cold passes sections whose first store, which counts the reader in, takes long to reach the
// cache: the store buffer holds many stores before it, to memory that no cache holds. No load
// comes before them, since it would fetch that memory. Almost nothing is between them: the
// whole row and the lookup must fit into what a CPU executes ahead.
func (t *reader) cold() {
	t.depth = 1
	at := t.rnd.Uint64()
	for range coldSections {
		for range 48 {
			at = at*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
			t.memory[at>>(64-coldBits)] = at
		}
		t.reader.Lock()
		o := t.published.Load()
		generation := o[0].generation
		for range t.rnd.Uint32N(1024) {
			t.look(o, generation)
		}
		t.reader.Unlock()
		t.reader.Quiescent()
	}
}

// long passes one section with delays and preemption. It may take a snapshot in it.
func (t *reader) long() {
	t.depth = 1 + t.rnd.IntN(6)
	for range t.depth {
		t.reader.Lock()
	}
	o := t.published.Load()
	generation := o[0].generation
	state, form := rcu.State(0), ""
	switch t.rnd.IntN(8) {
	case 0:
		state, form = t.domain.GetState(), "GetState"
	case 1:
		state, form = t.domain.StartPoll(), "StartPoll"
	}
	t.delay(o, generation)
	for range t.depth - 1 {
		t.reader.Unlock()
		if t.rnd.IntN(8) == 0 {
			t.reader.Lock() // a nested section, all inside
			t.look(o, generation)
			t.reader.Unlock()
		}
	}
	t.look(o, generation)
	if form != "" && t.domain.Poll(state) {
		t.Fail("G2: reader %d, in a section %d deep, took %d by %s, and inside the same section that polled true",
			t.id, t.depth, state, form)
	}
	t.reader.Unlock()
	t.reader.Quiescent()
}

// delay makes the section up to 100 µs longer and looks at the object again and again. Short
// delays are as likely as long ones.
func (t *reader) delay(o *[1]object, generation uint64) {
	if t.rnd.IntN(1024) == 0 {
		runtime.Gosched()
		return
	}
	for range t.rnd.Uint32N(1 << t.rnd.IntN(12)) {
		t.look(o, generation)
		torture.Spin(50)
	}
}

// look checks the object that the section under way has found (G1).
func (t *reader) look(o *[1]object, generation uint64) {
	age := atomic.LoadUint64(&o[0].age)
	if o[0].magic != torture.Alive || o[0].generation != generation || age > 0 {
		t.tooShort(o, generation, age)
	}
}

// tooShort reports a grace period that ended while the reader was in its section.
func (t *reader) tooShort(o *[1]object, generation, age uint64) {
	found := fmt.Sprintf("at age %d", age)
	switch {
	case o[0].magic == torture.Poison:
		found = "freed"
	case o[0].generation != generation:
		found = fmt.Sprintf("in use again as generation %d", o[0].generation)
	}
	last, _ := t.removals.Load(o)
	t.Fail("G1: reader %d, in a section %d deep, found its object of generation %d %s; last removed: %v", t.id, t.depth, generation, found, last)
}

// An updater is one updater's thread.
type updater struct {
	*flavourAttack
	id  int
	rnd *rand.Rand

	called uint64        // deferred calls so far
	ran    atomic.Uint64 // those that have run; written by callbacks, one at a time
}

// mostCalls is how many deferred calls an updater makes before it waits for them.
const mostCalls = 32

func (t *updater) run() error {
	defer t.updating.Add(-1)
	for !t.Over() {
		if err := t.replace(); err != nil {
			t.Fail("updater %d: %v", t.id, err)
		}
		if t.rnd.IntN(4) == 0 {
			torture.Spin(t.rnd.Uint32N(1 << t.rnd.IntN(16)))
		}
		if t.rnd.IntN(64) == 0 {
			time.Sleep(50 * time.Microsecond) // so that a reader gets the CPU
		}
	}
	t.barrier()
	return nil
}

// replace publishes a new object in place of another, and frees the other after one grace
// period or two.
func (t *updater) replace() error {
	next, err := t.create()
	if err != nil {
		return err
	}
	w, again, call := waits[t.rnd.IntN(len(waits))], t.rnd.IntN(4) == 0, t.rnd.IntN(8) == 0
	o := t.published.Swap(next)
	for _, waits := range []bool{again, !call} {
		if waits {
			w.wait(t)
			t.older(o, w.name)
		}
	}
	t.Changed(1)
	if call {
		t.call(o)
	} else {
		t.objects.Free(o[:])
	}
	return nil
}

// older counts a grace period that has passed since the object was removed.
func (t *updater) older(o *[1]object, form string) {
	t.removals.Store(o, fmt.Sprintf("generation %d, by updater %d, which waited by %s", o[0].generation, t.id, form))
	atomic.AddUint64(&o[0].age, 1)
}

// waits are the ways to wait for a whole grace period.
var waits = []struct {
	name string
	wait func(*updater)
}{
	{"Synchronize", func(t *updater) { t.domain.Synchronize() }},
	{"GetState and CondSync", func(t *updater) {
		s := t.domain.GetState()
		torture.Spin(t.rnd.Uint32N(1 << t.rnd.IntN(14)))
		t.domain.CondSync(s)
	}},
	{"GetState and Poll, while the other updater's grace periods end", func(t *updater) {
		s := t.domain.GetState()
		for range 100 {
			if t.domain.Poll(s) {
				return
			}
			torture.Spin(300)
		}
		t.domain.CondSync(s)
	}},
	{"StartPoll and Poll", func(t *updater) {
		s := t.domain.StartPoll()
		for !t.domain.Poll(s) {
			if t.Over() {
				t.domain.CondSync(s)
				return
			}
			torture.Spin(300)
			runtime.Gosched()
		}
	}},
}

// call has a callback free the object. Callbacks run once, in order (G3).
func (t *updater) call(o *[1]object) {
	t.called++
	n := t.called
	t.domain.Call(func() {
		if ran := t.ran.Load(); ran != n-1 {
			t.Fail("G3: updater %d's callback %d ran when %d had: twice, or out of order", t.id, n, ran)
			return
		}
		t.ran.Store(n)
		t.older(o, "Call")
		t.objects.Free(o[:])
	})
	if n-t.ran.Load() > mostCalls || t.rnd.IntN(32) == 0 {
		t.barrier()
	}
}

// barrier waits for all callbacks of the updater, which must have run then (G3).
func (t *updater) barrier() {
	t.domain.Barrier()
	if ran := t.ran.Load(); ran != t.called {
		t.Fail("G3: Barrier returned when %d of updater %d's %d callbacks had run", ran, t.id, t.called)
	}
}
