// Package uprobe attacks the lifetimes of uprobes. Threads hit keys of one Table while updaters
// put consumers on those keys and take them off.
//
//   - A key names a breakpoint: an inode and an offset. It has a uprobe while it has consumers.
//   - A consumer has a handler that hits call. Here it also holds its key, its generation and
//     whether it stays.
//   - The staying key has one consumer all the time, below others that come and go.
//   - A shared key has consumers of both updaters; every other key has those of one updater.
//
// The other words are those of package torture. Here a pass is a hit.
package uprobe

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/uprobe"
)

// Subjects lists the lifetimes.
func Subjects() []torture.Subject {
	return torture.Subjects("uprobe", uprobe.Variants(), attackTable)
}

const (
	hitters  = 2
	updaters = 2

	// Keys, by number: the staying one, then those of each updater, then the shared ones.
	stayingKey = 0
	ownKeys    = 12 // of each updater
	sharedKeys = 2

	// stayingCount is what the staying consumer adds to Hitter.Count.
	stayingCount = 1 << 32
)

// An attack is one attack on a Table:
//
//	CPU0, updater                        CPU1, hit
//	                                     does the key certainly have a consumer?
//	a consumer on                        find, pin
//	or off: at once, or many             calls: each is in use, and of this key
//	   and one Sync                      put
//	frees it: poison                     if it still has: one was called;
//	                                     the staying one was called once
//
// Hitters and updaters share both CPUs, and the kernel preempts each anywhere.
type attack struct {
	*torture.Attack
	table     *uprobe.Table
	consumers *slab.Slab[consumer]

	// certain counts, for a key, how often it came to have a consumer of its updater's, and how
	// often it came to have none: odd while it has one. Written by that updater, before it takes
	// the last one off, and after it has put the first one on.
	certain [1 + updaters*ownKeys]atomic.Uint64

	generation atomic.Uint64
}

// A consumer is one that a hit can judge.
type consumer struct {
	uprobe.Consumer
	attack     *attack
	magic      uint64
	key        uprobe.Key
	generation uint64
	stays      bool
}

// handle is a consumer's handler.
func handle(called *uprobe.Consumer, h *uprobe.Hitter) {
	c := consumerOf(called)
	if c.magic != torture.Alive {
		c.attack.Fail("B2: a consumer was called that had been freed")
		return
	}
	if c.stays {
		h.Count += stayingCount
		return
	}
	if h.Count++; h.Count%64 == 0 {
		torture.Spin(uint32(h.Count % 4096))
		if c.magic != torture.Alive {
			c.attack.Fail("B2: a consumer was freed while it was called; generation %d of key %v", c.generation, c.key)
		}
	}
}

func attackTable(a *torture.Attack, policy *uprobe.Policy) error {
	d, err := policy.Domain(rcu.Options{Lazy: 100 * time.Microsecond})
	if err != nil {
		return err
	}
	defer d.Close()
	a.CountGracePeriods(d)
	u := &attack{Attack: a, table: uprobe.New(policy, d)}
	poison := make([]consumer, 1)
	poison[0].Handler, poison[0].attack, poison[0].magic = handle, u, torture.Poison
	u.consumers = slab.New(poison...)
	stays, err := u.on(keyOf(stayingKey))
	if err != nil {
		return err
	}
	stays[0].stays = true
	u.certain[stayingKey].Store(1)

	var threads []torture.Thread
	for i := range hitters {
		threads = append(threads, torture.Thread{CPU: i, Run: func() error { return u.hit(i) }, Interrupted: true})
	}
	for i := range updaters {
		threads = append(threads, torture.Thread{CPU: 1 + i, Run: func() error { return u.update(i) }})
	}
	err = a.Launch(threads...)
	if a.Failed() {
		return err // the counts below would be wrong
	}
	u.off([]*[1]consumer{stays})
	d.Barrier()
	if n := u.table.InUse(); n > 0 {
		a.Fail("B5: without consumers %d uprobes are in use", n)
	}
	if n := u.consumers.InUse(); n > 0 {
		return errors.Join(err, fmt.Errorf("the attack lost %d consumers", n))
	}
	return err
}

// keyOf is the key of that number.
func keyOf(n int) uprobe.Key { return uprobe.Key{Inode: uint64(n % 3), Offset: uint64(n * 64)} }

// shared draws a key that both updaters may have consumers on.
func shared(rnd *rand.Rand) int {
	if n := rnd.IntN(1 + sharedKeys); n > 0 {
		return updaters*ownKeys + n
	}
	return stayingKey
}

// hit hits keys until the attack is over.
func (u *attack) hit(n int) error {
	h := u.table.NewHitter()
	defer h.Close()
	rnd := u.Rand(n)
	for !u.Over() {
		const batch = 256
		onlyShared := rnd.IntN(2) == 0 // there the last hit and the last removal meet
		for range batch {
			key := shared(rnd)
			if !onlyShared {
				key = rnd.IntN(len(u.certain) + sharedKeys)
			}
			u.hitOnce(h, key)
		}
		u.Passed(n, batch)
		if counts, any := u.table.Warnings(); any {
			w := slices.IndexFunc(counts[:], func(n uint64) bool { return n > 0 })
			invariant := map[uprobe.Warning]string{uprobe.WarnFreed: "B3", uprobe.WarnLost: "B1"}[uprobe.Warning(w)]
			u.Fail("%s: %v, %d times", cmp.Or(invariant, "B4"), uprobe.Warning(w), counts[w])
		}
	}
	return nil
}

// hitOnce is a function of its own because the collector can stop the hitter in its prologue.
//
//go:noinline
func (u *attack) hitOnce(h *uprobe.Hitter, n int) {
	if n >= len(u.certain) {
		h.Hit(keyOf(n))
		return
	}
	if n%4 == 0 {
		n = stayingKey
	}
	before, count := u.certain[n].Load(), h.Count
	called := h.Hit(keyOf(n))
	if times := (h.Count - count) / stayingCount; n == stayingKey && times != 1 {
		u.Fail("B1: a hit called the staying consumer %d times", times)
	}
	if before%2 == 1 && called == 0 && u.certain[n].Load() == before {
		u.Fail("B1: a hit on key %v, which had a consumer all the time, called none", keyOf(n))
	}
}

// update puts consumers on random keys and takes them off again, one by one or in
// batches, until the attack is over.
func (u *attack) update(n int) error {
	rnd := u.Rand(hitters + n)
	on := map[int][]*[1]consumer{}
	for !u.Over() {
		key := 1 + n*ownKeys + rnd.IntN(ownKeys)
		if rnd.IntN(2) == 0 {
			key = shared(rnd)
		}
		switch {
		case rnd.IntN(64) == 0:
			u.clear(on)
		case rnd.IntN(4) == 0:
			if err := u.addAndRemove(keyOf(shared(rnd)), 1+rnd.IntN(16)); err != nil {
				return err
			}
		case len(on[key]) > 0 && rnd.IntN(2) == 0:
			at := rnd.IntN(len(on[key]))
			removed := on[key][at]
			on[key] = append(on[key][:at:at], on[key][at+1:]...)
			u.publish(key, on[key])
			u.off([]*[1]consumer{removed})
		case len(on[key]) < 3:
			t, err := u.on(keyOf(key))
			if err != nil {
				return err
			}
			on[key] = append(on[key], t)
			u.publish(key, on[key])
		}
		u.Changed(1)
		if rnd.IntN(8) == 0 {
			torture.Busy(rnd, 100*time.Nanosecond, 20*time.Microsecond)
		}
	}
	u.clear(on)
	return nil
}

// publish publishes whether the key certainly has consumers.
func (u *attack) publish(key int, on []*[1]consumer) {
	if key != stayingKey && key < len(u.certain) && u.certain[key].Load()%2 == 1 != (len(on) > 0) {
		u.certain[key].Add(1)
	}
}

// on registers a new consumer.
func (u *attack) on(k uprobe.Key) (*[1]consumer, error) {
	slot, err := u.consumers.Alloc()
	if err != nil {
		return nil, err
	}
	t := &slot[0]
	t.Handler, t.attack, t.magic, t.key, t.generation = handle, u, torture.Alive, k, u.generation.Add(1)
	if err := u.table.Register(k, &t.Consumer); err != nil {
		return nil, err
	}
	return (*[1]consumer)(slot), nil
}

// off removes consumers in one batch and frees them.
func (u *attack) off(list []*[1]consumer) {
	for _, t := range list {
		u.offNosync(t)
	}
	u.free(list)
}

// addAndRemove registers and removes many consumers, one after the other, and frees them in one
// batch. The count of a shared uprobe goes to zero and back as often.
func (u *attack) addAndRemove(k uprobe.Key, times int) error {
	var list []*[1]consumer
	defer func() { u.free(list) }()
	for range times {
		t, err := u.on(k)
		if err != nil {
			return err
		}
		u.offNosync(t)
		list = append(list, t)
	}
	return nil
}

func (u *attack) offNosync(t *[1]consumer) {
	if err := u.table.UnregisterNosync(&t[0].Consumer); err != nil {
		u.Fail("B1: %v", err)
	}
}

// free frees consumers that have been removed.
func (u *attack) free(list []*[1]consumer) {
	u.table.Sync()
	for _, t := range list {
		u.consumers.Free(t[:])
	}
}

// clear removes all consumers of one updater.
func (u *attack) clear(on map[int][]*[1]consumer) {
	var list []*[1]consumer
	for key, consumers := range on {
		list = append(list, consumers...)
		u.publish(key, nil)
	}
	clear(on)
	u.off(list)
}
