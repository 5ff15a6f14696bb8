package rcu

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/torture"
)

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
	t.Fail("G1: reader %d, in a section %d deep, found its object of generation %d %s; %v", t.id, t.depth, generation, found, last)
}
