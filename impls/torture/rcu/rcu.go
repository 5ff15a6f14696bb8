// Package rcu attacks the flavours of grace periods. Readers look up an object in read
// sections while updaters replace it, wait for a grace period and free it. A reader that finds
// the object older or freed within its section has seen a grace period that was too short.
//
//   - An [object]'s age is the number of grace periods that the updater has waited since it
//     removed the object: what rcutorture calls the pipe count.
//   - A form is the way in which an updater waited, "GetState and CondSync" for one.
//   - A removal is what is remembered of an object that was removed, for the report.
//
// The other words are those of package torture.
package rcu

import (
	"fmt"
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

// A removal is how an object was removed, for the report.
type removal struct {
	generation uint64
	updater    int
	form       string // the way the updater waited
}

func (r removal) String() string {
	return fmt.Sprintf("last removed: generation %d, by updater %d, which waited by %s", r.generation, r.updater, r.form)
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

	removals sync.Map // *[1]object to its last removal

	handed sync.WaitGroup // sections that other threads have still to leave

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
