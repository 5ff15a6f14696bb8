package torture

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
)

func rcuSubjects() []Subject {
	var list []Subject
	for _, v := range rcu.Variants() {
		list = append(list, Subject{
			Family: "rcu", Name: v.Name, Doc: v.Doc, Status: v.Status,
			Check:  v.Supported,
			attack: func(a *attack) error { return tortureFlavor(a, v) },
		})
	}
	return list
}

const (
	rcuReaders  = 2
	rcuUpdaters = 2
)

// An object is what readers look up and updaters replace. Its age is the number of grace
// periods that the updater has waited since it removed the object: what rcutorture
// calls the pipe count. A reader that finds it older than 0 within the section in which
// it looked it up has seen a grace period that was too short.
type object struct {
	magic      uint64
	generation uint64
	age        uint64    // by atomic operations: readers look while updaters count
	_          [5]uint64 // a cache line
}

const (
	aliveMagic  = 0x6c6976652d6f626a
	poisonMagic = 0x6b6b6b6b6b6b6b6b // the kernel's POISON_FREE
)

// A death is what is remembered of a freed object, for the report.
type death struct {
	generation uint64
	updater    int
	form       string // the way the updater waited
}

func (d death) String() string {
	return fmt.Sprintf("last removed: generation %d, by updater %d, which waited by %s", d.generation, d.updater, d.form)
}

// A flavorTorture is one attack on a flavour:
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
// Readers that their flavour watches while they are idle enter sections then, too. Every
// reader and every updater is a thread; with two CPUs one of each shares a CPU,
// and the kernel preempts readers inside sections.
type flavorTorture struct {
	*attack
	domain    *rcu.Domain
	objects   *slab.Slab[object]
	published atomic.Pointer[[1]object]

	deaths sync.Map // *[1]object to its last death

	handed sync.WaitGroup // sections that other threads have still to leave

	// updating counts the updaters that have not ended. Until it is 0 readers go on:
	// grace periods of qsbr wait to hear from them.
	updating atomic.Int32
}

func tortureFlavor(a *attack, v rcu.Variant) error {
	// The engine is to be as busy as its callers.
	d := v.New(rcu.Options{Lazy: 100 * time.Microsecond})
	defer d.Close()
	a.domain.Store(d)
	t := &flavorTorture{attack: a, domain: d, objects: slab.New(object{magic: poisonMagic})}
	o, err := t.create()
	if err != nil {
		return err
	}
	t.published.Store(o)

	var list []thread
	for i := range rcuReaders {
		list = append(list, thread{i, t.newReader(i).run})
	}
	t.updating.Store(rcuUpdaters)
	for i := range rcuUpdaters {
		n := rcuReaders + i
		list = append(list, thread{n, (&flavorUpdater{flavorTorture: t, id: i, rnd: a.rand(n)}).run})
	}
	err = a.launch(list...)
	t.handed.Wait()
	return err
}

// create returns a new object, not published yet.
func (t *flavorTorture) create() (*[1]object, error) {
	slot, err := t.objects.Alloc()
	if err != nil {
		return nil, err
	}
	slot[0] = object{magic: aliveMagic, generation: t.objects.Generation(slot)}
	return (*[1]object)(slot), nil
}

// A flavorReader is one reader's thread.
type flavorReader struct {
	*flavorTorture
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

func (t *flavorTorture) newReader(id int) *flavorReader {
	r := &flavorReader{flavorTorture: t, id: id, rnd: t.rand(id), memory: new([1 << coldBits]uint64)}
	for i := 0; i < len(r.memory); i += 512 {
		r.memory[i] = 1 // fault the page in
	}
	return r
}

func (t *flavorReader) run() error {
	t.reader = t.domain.Register()
	defer t.reader.Unregister()
	for t.updating.Load() > 0 {
		t.maybeIdle(t.plain)
		t.maybeIdle(t.long)
		t.passes[t.id].Add(plainSections + 1)
		// A reader that was held up before it counted itself in (srcu-one-sum) is seen only in
		// sections that last for a grace period of SRCU, which is short.
		if t.domain.HasSRCU() || t.rnd.IntN(4) == 0 {
			t.maybeIdle(t.cold)
			t.passes[t.id].Add(coldSections)
		}
		if t.domain.HasSRCU() {
			t.handOver()
			t.passes[t.id].Add(1)
		}
	}
	return nil
}

// maybeIdle passes sections, now and then while the reader is idle, if its flavour
// promises to wait for such: G5. Else it is idle just before.
func (t *flavorReader) maybeIdle(sections func()) {
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
	spin(t.rnd.Uint32N(1 << t.rnd.IntN(14)))
	t.reader.ExitIdle()
	sections()
}

// handOver enters a section of SRCU, which another thread leaves.
func (t *flavorReader) handOver() {
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
			spin(50)
		}
		other.look(o, generation)
		r.UpRead(index)
	})
}

// plain passes sections that do nothing but look their object up.
func (t *flavorReader) plain() {
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
			t.reader.Unlock() // must not look like the end
		}
		t.look(o, generation)
		t.reader.Unlock()
		if i&63 == 63 {
			t.reader.Quiescent()
		}
	}
}

// cold passes sections whose first store (L2) takes long to reach the cache: it queues
// behind what a store buffer holds of stores to where no cache has the memory. No load
// comes before them, which would fetch it, and next to nothing between them: the whole
// row and the lookup must fit into what a CPU looks ahead.
func (t *flavorReader) cold() {
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

// long passes one section with whatever takes time: delays, preemption, a cookie.
func (t *flavorReader) long() {
	t.depth = 1 + t.rnd.IntN(6)
	for range t.depth {
		t.reader.Lock()
	}
	o := t.published.Load()
	generation := o[0].generation
	cookie, form := rcu.State(0), ""
	switch t.rnd.IntN(8) {
	case 0:
		cookie, form = t.domain.GetState(), "GetState"
	case 1:
		cookie, form = t.domain.StartPoll(), "StartPoll"
	}
	t.delay(o, generation)
	for range t.depth - 1 {
		t.reader.Unlock()
		if t.rnd.IntN(8) == 0 {
			t.reader.Lock() // in and out, all inside
			t.look(o, generation)
			t.reader.Unlock()
		}
	}
	t.look(o, generation)
	if form != "" && t.domain.Poll(cookie) {
		t.fail("G2: reader %d, in a section %d deep, took %d by %s, and inside the same section that polled true",
			t.id, t.depth, cookie, form)
	}
	t.reader.Unlock()
	t.reader.Quiescent()
}

// delay holds the section up for up to 100 µs, short ones as likely as long ones, and
// looks at the object all the while.
func (t *flavorReader) delay(o *[1]object, generation uint64) {
	if t.rnd.IntN(1024) == 0 {
		runtime.Gosched()
		return
	}
	for range t.rnd.Uint32N(1 << t.rnd.IntN(12)) {
		t.look(o, generation)
		spin(50)
	}
}

// look checks the object that the section under way has found: G1.
func (t *flavorReader) look(o *[1]object, generation uint64) {
	age := atomic.LoadUint64(&o[0].age)
	if o[0].magic != aliveMagic || o[0].generation != generation || age > 0 {
		t.tooShort(o, generation, age)
	}
}

// tooShort reports a grace period that ended under the reader.
func (t *flavorReader) tooShort(o *[1]object, generation, age uint64) {
	state := fmt.Sprintf("at age %d", age)
	switch {
	case o[0].magic == poisonMagic:
		state = "freed"
	case o[0].generation != generation:
		state = fmt.Sprintf("in use again as generation %d", o[0].generation)
	}
	last, _ := t.deaths.Load(o)
	t.fail("G1: reader %d, in a section %d deep, found its object of generation %d %s; %v", t.id, t.depth, generation, state, last)
}

// A flavorUpdater is one updater's thread.
type flavorUpdater struct {
	*flavorTorture
	id  int
	rnd *rand.Rand

	called uint64        // deferred calls so far
	ran    atomic.Uint64 // those that have run; written by callbacks, one at a time
}

// mostCalls is how many deferred calls an updater leaves behind before it waits for
// them.
const mostCalls = 32

func (t *flavorUpdater) run() error {
	defer t.updating.Add(-1)
	for !t.over() {
		if err := t.replace(); err != nil {
			t.fail("updater %d: %v", t.id, err)
		}
		if t.rnd.IntN(4) == 0 {
			spin(t.rnd.Uint32N(1 << t.rnd.IntN(16)))
		}
		if t.rnd.IntN(64) == 0 {
			time.Sleep(50 * time.Microsecond) // a reader may have the CPU
		}
	}
	t.barrier()
	return nil
}

// replace publishes a new object in place of another, and frees that after one grace
// period or two.
func (t *flavorUpdater) replace() error {
	next, err := t.create()
	if err != nil {
		return err
	}
	w, again, call := waits[t.rnd.IntN(len(waits))], t.rnd.IntN(4) == 0, t.rnd.IntN(8) == 0
	o := t.published.Swap(next)
	if again || !call {
		w.wait(t)
		t.older(o, w.name)
	}
	if again && !call {
		w.wait(t)
		t.older(o, w.name)
	}
	t.transitions.Add(1)
	if call {
		t.call(o)
	} else {
		t.objects.Free(o[:])
	}
	return nil
}

// older counts a grace period that a removed object has waited.
func (t *flavorUpdater) older(o *[1]object, form string) {
	t.deaths.Store(o, death{o[0].generation, t.id, form})
	atomic.AddUint64(&o[0].age, 1)
}

// waits are the ways to wait for a whole grace period.
var waits = []struct {
	name string
	wait func(*flavorUpdater)
}{
	{"Synchronize", func(t *flavorUpdater) { t.domain.Synchronize() }},
	{"GetState and CondSync", func(t *flavorUpdater) {
		s := t.domain.GetState()
		spin(t.rnd.Uint32N(1 << t.rnd.IntN(14)))
		t.domain.CondSync(s)
	}},
	{"GetState and Poll, while others' grace periods come", func(t *flavorUpdater) {
		s := t.domain.GetState()
		for range 100 {
			if t.domain.Poll(s) {
				return
			}
			spin(300)
		}
		t.domain.CondSync(s)
	}},
	{"StartPoll and Poll", func(t *flavorUpdater) {
		s := t.domain.StartPoll()
		for !t.domain.Poll(s) {
			if t.over() {
				t.domain.CondSync(s)
				return
			}
			spin(300)
			runtime.Gosched()
		}
	}},
}

// call leaves the object to a callback: G3.
func (t *flavorUpdater) call(o *[1]object) {
	t.called++
	n := t.called
	t.domain.Call(func() {
		if ran := t.ran.Load(); ran != n-1 {
			t.fail("G3: updater %d's callback %d ran when %d had: twice, or out of order", t.id, n, ran)
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

// barrier waits for all that the updater has deferred: G3.
func (t *flavorUpdater) barrier() {
	t.domain.Barrier()
	if ran := t.ran.Load(); ran != t.called {
		t.fail("G3: Barrier returned when %d of updater %d's %d callbacks had run", ran, t.id, t.called)
	}
}

// spin passes time: n turns of an empty loop, about a third of a nanosecond each.
func spin(n uint32) {
	for range n {
	}
}
