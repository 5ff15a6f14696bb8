package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/uprobe"
)

// uprobeSubjects are the lifetimes of uprobes.
func uprobeSubjects() []Subject {
	var list []Subject
	for _, v := range uprobe.Variants() {
		list = append(list, Subject{
			Family: "uprobe", Name: v.Name, Doc: v.Doc, Status: v.Status,
			Check:  v.Supported,
			Kills:  v.Status == impls.Busted, // a freed rwsem ends the process
			attack: func(a *attack) error { return attackUprobes(a, v.New) },
		})
	}
	return list
}

const (
	uprobeHitters  = 2
	uprobeUpdaters = 2

	// Keys: one that has a consumer all the time, below others that come and go, some that
	// one updater has to itself, and few that they contend for.
	stayingKey = 0
	keysOfOne  = 12 // of each updater
	keysOfAll  = 2

	// stayed is what the staying consumer adds to Hitter.Count.
	stayed = 1 << 32
)

// uprobes is a Table under attack:
//
//	CPU0, updater                        CPU1, hit
//	                                     sure = is one there for certain?
//	a consumer on                        find, pin
//	or off: at once, or many             calls: each is alive, and of this key
//	   and one Sync                      put
//	frees it: poison                     if still sure: one was called;
//	                                     the one that stays was called once
//
// Hitters and updaters share both CPUs, and the kernel preempts each anywhere.
type uprobes struct {
	*attack
	domain *rcu.Domain
	table  *uprobe.Table
	taps   *slab.Slab[tap]

	// sure counts, for a key, when it came to have a consumer of its updater's, and when it
	// came to have none: odd while it has one. Written by that updater, before it takes
	// the last one off, and after it has put the first one on.
	sure [1 + uprobeUpdaters*keysOfOne]atomic.Uint64

	generation atomic.Uint64
}

// A tap is a consumer, which knows whose it is.
type tap struct {
	uprobe.Consumer
	attack     *uprobes
	magic      uint64
	key        uprobe.Key
	generation uint64
	stays      bool
}

// onTap is a tap's handler.
func onTap(c *uprobe.Consumer, h *uprobe.Hitter) {
	t := tapOf(c)
	if t.magic != aliveMagic {
		t.attack.fail("B2: a consumer was called that had been freed")
		return
	}
	if t.stays {
		h.Count += stayed
		return
	}
	if h.Count++; h.Count%64 == 0 {
		spin(uint32(h.Count % 4096))
		if t.magic != aliveMagic {
			t.attack.fail("B2: a consumer was freed while it was called; generation %d of key %v", t.generation, t.key)
		}
	}
}

func attackUprobes(a *attack, policy *uprobe.Policy) error {
	d, err := policy.Domain(rcu.Options{Lazy: 100 * time.Microsecond})
	if err != nil {
		return err
	}
	defer d.Close()
	a.domain.Store(d)
	u := &uprobes{attack: a, domain: d, table: uprobe.New(policy, d)}
	poison := make([]tap, 1)
	poison[0].Handler, poison[0].attack, poison[0].magic = onTap, u, poisonMagic
	u.taps = slab.New(poison...)
	stays, err := u.on(uprobeKey(stayingKey))
	if err != nil {
		return err
	}
	stays[0].stays = true
	u.sure[stayingKey].Store(1)

	var list []thread
	for i := range uprobeHitters {
		list = append(list,
			thread{i, func() error { return u.hit(i) }},
			thread{i, func() error { return a.intrude(a.rand(uprobeHitters + uprobeUpdaters + i)) }})
	}
	for i := range uprobeUpdaters {
		list = append(list, thread{1 + i, func() error { return u.update(i) }})
	}
	err = a.launch(list...)
	if a.failure.Load() != nil {
		return err // what is broken cannot be counted
	}
	u.off([]*[1]tap{stays})
	d.Barrier()
	if n := u.table.InUse(); n > 0 {
		a.fail("B5: without consumers %d uprobes are in use", n)
	}
	if n := u.taps.InUse(); n > 0 {
		return errors.Join(err, fmt.Errorf("the attack lost %d consumers", n))
	}
	return err
}

// uprobeKey is the key of that number: 0 stays, then each updater's, then the shared ones.
func uprobeKey(n int) uprobe.Key { return uprobe.Key{Inode: uint64(n % 3), Offset: uint64(n * 64)} }

// contended draws a key that all may have consumers on.
func contended(rnd *rand.Rand) int {
	if n := rnd.IntN(1 + keysOfAll); n > 0 {
		return uprobeUpdaters*keysOfOne + n
	}
	return stayingKey
}

// hit hits keys until the attack is over.
func (u *uprobes) hit(n int) error {
	h := u.table.NewHitter()
	defer h.Close()
	rnd := u.rand(n)
	for !u.over() {
		const batch = 256
		few := rnd.IntN(2) == 0 // where the last hit and the last removal meet
		for range batch {
			key := contended(rnd)
			if !few {
				key = rnd.IntN(len(u.sure) + keysOfAll)
			}
			u.hitOnce(h, key)
		}
		u.passes[n].Add(batch)
		if counts, any := u.table.Warnings(); any {
			u.fail("%s", warned(counts[:]))
		}
	}
	return nil
}

// hitOnce is a function for its prologue, where the collector can stop the hitter.
//
//go:noinline
func (u *uprobes) hitOnce(h *uprobe.Hitter, n int) {
	if n >= len(u.sure) {
		h.Hit(uprobeKey(n))
		return
	}
	if n%4 == 0 {
		n = stayingKey
	}
	before, count := u.sure[n].Load(), h.Count
	called := h.Hit(uprobeKey(n))
	if times := (h.Count - count) / stayed; n == stayingKey && times != 1 {
		u.fail("B1: a hit called the consumer that stays %d times", times)
	}
	if before%2 == 1 && called == 0 && u.sure[n].Load() == before {
		u.fail("B1: a hit on key %v, which had a consumer all the while, called none", uprobeKey(n))
	}
}

// warned words the first warning.
func warned(counts []uint64) string {
	for w, n := range counts {
		if n > 0 {
			invariant := "B4"
			switch uprobe.Warning(w) {
			case uprobe.WarnFreed:
				invariant = "B3"
			case uprobe.WarnLost:
				invariant = "B1"
			}
			return fmt.Sprintf("%s: %v, %d times", invariant, uprobe.Warning(w), n)
		}
	}
	return ""
}

// update puts consumers on random keys and takes them off again, one by one or in
// batches, until the attack is over.
func (u *uprobes) update(n int) error {
	rnd := u.rand(uprobeHitters + n)
	on := map[int][]*[1]tap{}
	for !u.over() {
		key := 1 + n*keysOfOne + rnd.IntN(keysOfOne)
		if rnd.IntN(2) == 0 {
			key = contended(rnd)
		}
		switch {
		case rnd.IntN(64) == 0:
			u.clear(on)
		case rnd.IntN(4) == 0:
			if err := u.blink(uprobeKey(contended(rnd)), 1+rnd.IntN(16)); err != nil {
				return err
			}
		case len(on[key]) > 0 && rnd.IntN(2) == 0:
			at := rnd.IntN(len(on[key]))
			gone := on[key][at]
			on[key] = append(on[key][:at:at], on[key][at+1:]...)
			u.tell(key, on[key])
			u.off([]*[1]tap{gone})
		case len(on[key]) < 3:
			t, err := u.on(uprobeKey(key))
			if err != nil {
				return err
			}
			on[key] = append(on[key], t)
			u.tell(key, on[key])
		}
		u.transitions.Add(1)
		if rnd.IntN(8) == 0 {
			busy(logUniform(rnd, 100*time.Nanosecond, 20*time.Microsecond))
		}
	}
	u.clear(on)
	return nil
}

// tell says whether the key has consumers for certain.
func (u *uprobes) tell(key int, on []*[1]tap) {
	if key != stayingKey && key < len(u.sure) && u.sure[key].Load()%2 == 1 != (len(on) > 0) {
		u.sure[key].Add(1)
	}
}

// on registers a new consumer.
func (u *uprobes) on(k uprobe.Key) (*[1]tap, error) {
	slot, err := u.taps.Alloc()
	if err != nil {
		return nil, err
	}
	t := &slot[0]
	t.Handler, t.attack, t.magic, t.key, t.generation = onTap, u, aliveMagic, k, u.generation.Add(1)
	if err := u.table.Register(k, &t.Consumer); err != nil {
		return nil, err
	}
	return (*[1]tap)(slot), nil
}

// off removes consumers in one batch and frees them.
func (u *uprobes) off(list []*[1]tap) {
	for _, t := range list {
		u.offNosync(t)
	}
	u.free(list)
}

// blink registers and removes many consumers, one after the other, and frees them in one
// batch: the count of a contended uprobe goes to zero and back as often.
func (u *uprobes) blink(k uprobe.Key, times int) error {
	var list []*[1]tap
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

func (u *uprobes) offNosync(t *[1]tap) {
	if err := u.table.UnregisterNosync(&t[0].Consumer); err != nil {
		u.fail("B1: %v", err)
	}
}

// free frees consumers that have been removed.
func (u *uprobes) free(list []*[1]tap) {
	u.table.Sync()
	for _, t := range list {
		u.taps.Free(t[:])
	}
}

// clear removes everything of an updater's.
func (u *uprobes) clear(on map[int][]*[1]tap) {
	var list []*[1]tap
	for key, taps := range on {
		list = append(list, taps...)
		u.tell(key, nil)
	}
	clear(on)
	u.off(list)
}
