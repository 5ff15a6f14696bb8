// This file has the conformance tests: what every sound variant does, through the exported
// interface alone, compared with a model that is a map from keys to lists of consumers.
package uprobe_test

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/uprobe"
)

// If this fails, a sound variant breaks a promise; the case says which.
func TestConformance(t *testing.T) {
	for _, v := range impls.OnlySound(uprobe.Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, v.Supported(), "uprobe", v.Name)
			judge.Run(t, cases, func(t *testing.T, test func(b *bench)) {
				d, err := v.New.Domain(rcu.Options{Lazy: rcu.OnlyBarrier})
				judge.Check(t, err)
				defer d.Close()
				b := &bench{T: t, policy: v.New, domain: d, table: uprobe.New(v.New, d), model: map[uprobe.Key][]*uprobe.Consumer{}}
				b.hitter = b.table.NewHitter()
				defer b.hitter.Close()
				test(b)
				b.empty()
			})
		})
	}
}

var cases = []judge.Case[func(b *bench)]{
	{
		Name:        "B1 B5: random registrations and removals",
		Explanation: "If some history made a hit call other consumers than those registered on its key, or an error changed anything, a tracer would miss events, or get those of another one.",
		Test:        randomHistory,
	},
	{
		Name:        "B1: errors",
		Explanation: "If a consumer without a handler, one that is registered already, or the removal of one that is not, were accepted, lists would be corrupted.",
		Test:        mistakes,
	},
	{
		Name:        "B2: a hit under way",
		Explanation: "If Unregister returned while a hit still calls the consumer, its owner would free it under that hit.",
		Test:        hitUnderWay,
	},
	{
		Name:        "B2: a batch",
		Explanation: "If Sync did not wait for all removals before it, a batch would free consumers that hits still call; if each removal waited, a batch would take as long as its removals one by one.",
		Test:        batchUnderWay,
	},
	{
		Name:        "B1: keys that come and go beside one that stays",
		Explanation: "If a search could miss, while the tree changes, a key that is always there, the thread that hit its breakpoint would be killed by SIGTRAP.",
		Test:        permanentKey,
	},
}

// A bench is a Table and the model of it.
type bench struct {
	*testing.T
	policy *uprobe.Policy
	domain *rcu.Domain
	table  *uprobe.Table
	hitter *uprobe.Hitter
	model  map[uprobe.Key][]*uprobe.Consumer
	called []*uprobe.Consumer // by the last hit
}

// consumer makes one that appends itself to called.
func (b *bench) consumer() *uprobe.Consumer {
	return &uprobe.Consumer{Handler: func(c *uprobe.Consumer, _ *uprobe.Hitter) { b.called = append(b.called, c) }}
}

// hits compares a hit on the key with the model. The newest consumer is called first.
func (b *bench) hits(k uprobe.Key) {
	b.Helper()
	b.called = nil
	n := b.hitter.Hit(k)
	want := slices.Clone(b.model[k])
	slices.Reverse(want)
	if n != len(want) || !slices.Equal(b.called, want) {
		b.Fatalf("B1: a hit on %v called %d, %v, want %v", k, n, b.called, want)
	}
}

func (b *bench) register(k uprobe.Key, c *uprobe.Consumer) {
	b.Helper()
	judge.Check(b, b.table.Register(k, c))
	b.model[k] = append(b.model[k], c)
	b.hits(k)
}

func (b *bench) unregister(k uprobe.Key, c *uprobe.Consumer) {
	b.Helper()
	b.waits(func() { judge.Check(b, b.table.Unregister(c)) })
	at := slices.Index(b.model[k], c)
	b.model[k] = slices.Delete(b.model[k], at, at+1)
	b.hits(k)
}

// waits checks that remove waits for the grace periods that one removal needs, or one batch.
func (b *bench) waits(remove func()) {
	b.Helper()
	before := b.domain.Counters().Waited
	remove()
	if got, want := b.domain.Counters().Waited-before, b.policy.WaitsOfRemoval(); got != want {
		b.Errorf("a removal waited for %d grace periods, want %d", got, want)
	}
}

// empty removes all consumers and checks that nothing is left.
func (b *bench) empty() {
	for _, list := range b.model {
		for _, c := range list {
			judge.Check(b, b.table.Unregister(c))
		}
	}
	b.domain.Barrier()
	if n := b.table.InUse(); n > 0 {
		b.Errorf("B5: without consumers %d uprobes are in use", n)
	}
	if counts, any := b.table.Warnings(); any {
		b.Errorf("B3 B4: warnings %v", counts)
	}
}

func randomHistory(b *bench) {
	rnd := judge.Rand(b)
	var free []*uprobe.Consumer
	for range 8 {
		free = append(free, b.consumer())
	}
	keys := []uprobe.Key{{Inode: 1, Offset: 1}, {Inode: 1, Offset: 2}, {Inode: 2, Offset: 1}}
	for range 2000 {
		k := keys[rnd.IntN(len(keys))]
		if list := b.model[k]; len(list) > 0 && rnd.IntN(2) == 0 {
			c := list[rnd.IntN(len(list))]
			b.unregister(k, c)
			free = append(free, c)
		} else if len(free) > 0 {
			c := free[len(free)-1]
			if memory := rnd.IntN(4); memory == 0 && len(list) == 0 {
				b.table.FailAfter(0)
				if err := b.table.Register(k, c); !errors.Is(err, uprobe.ErrNoMem) {
					b.Fatalf("B5: Register without memory = %v", err)
				}
				b.hits(k)
				continue
			}
			free = free[:len(free)-1]
			b.register(k, c)
		}
		b.hits(keys[rnd.IntN(len(keys))])
	}
}

func mistakes(b *bench) {
	k := uprobe.Key{Inode: 1}
	c := b.consumer()
	if err := b.table.Register(k, &uprobe.Consumer{}); !errors.Is(err, uprobe.ErrInvalid) {
		b.Errorf("without a handler: %v", err)
	}
	if err := b.table.Unregister(c); !errors.Is(err, uprobe.ErrNotFound) {
		b.Errorf("not registered: %v", err)
	}
	b.register(k, c)
	for _, again := range []uprobe.Key{k, {Inode: 2}} {
		if err := b.table.Register(again, c); !errors.Is(err, uprobe.ErrExist) {
			b.Errorf("twice: %v", err)
		}
	}
	b.hits(k)
	b.unregister(k, c)
	if err := b.table.UnregisterNosync(c); !errors.Is(err, uprobe.ErrNotFound) {
		b.Errorf("a second time: %v", err)
	}
	if n := b.hitter.Hit(uprobe.Key{Inode: 9}); n != 0 {
		b.Errorf("a hit on a key without a uprobe called %d", n)
	}
}

// A held is a hit that stays in its consumer until it receives from leave.
type held struct {
	consumer             uprobe.Consumer
	entered, leave, gone chan bool
	left                 atomic.Bool
}

// hold registers a consumer and begins a hit, and returns when the hit is in the consumer.
func (b *bench) hold(k uprobe.Key) *held {
	x := &held{entered: make(chan bool), leave: make(chan bool), gone: make(chan bool)}
	x.consumer.Handler = func(*uprobe.Consumer, *uprobe.Hitter) {
		x.entered <- true
		<-x.leave
		x.left.Store(true)
	}
	judge.Check(b, b.table.Register(k, &x.consumer))
	go func() {
		h := b.table.NewHitter()
		h.Hit(k)
		h.Close()
		close(x.gone)
	}()
	<-x.entered
	return x
}

// outlasts lets remove begin, which removes the consumer, and then do what meanwhile does; then
// it ends the hit. remove must not return before.
func (x *held) outlasts(b *bench, what string, remove, meanwhile func()) {
	begun, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		close(begun)
		remove()
		if !x.left.Load() {
			b.Errorf("B2: %s returned with a hit in a removed consumer", what)
		}
	}()
	<-begun
	meanwhile()
	for range 200 {
		runtime.Gosched() // a remove that does not wait returns now
	}
	x.leave <- true
	<-x.gone
	<-done
}

func hitUnderWay(b *bench) {
	x := b.hold(uprobe.Key{Inode: 1})
	remove := func() {
		if err := b.table.Unregister(&x.consumer); err != nil {
			b.Error(err)
		}
	}
	// Registrations do not wait for the hit.
	x.outlasts(b, "Unregister", remove, func() {
		for i := range uint64(20) {
			b.register(uprobe.Key{Inode: 7, Offset: i}, b.consumer())
		}
	})
	b.hits(uprobe.Key{Inode: 1})
}

func batchUnderWay(b *bench) {
	x := b.hold(uprobe.Key{Inode: 1})
	var batch []*uprobe.Consumer
	for i := range uint64(10) {
		c := b.consumer()
		b.register(uprobe.Key{Inode: 2, Offset: i}, c)
		batch = append(batch, c)
	}
	b.model = map[uprobe.Key][]*uprobe.Consumer{}
	remove := func() {
		for _, c := range append(batch, &x.consumer) {
			if err := b.table.UnregisterNosync(c); err != nil {
				b.Error(err)
			}
		}
		b.table.Sync()
	}
	x.outlasts(b, "Sync", func() { b.waits(remove) }, func() {})
}

func permanentKey(b *bench) {
	stays := uprobe.Key{Inode: 5, Offset: 5}
	c := &uprobe.Consumer{Handler: func(*uprobe.Consumer, *uprobe.Hitter) {}}
	judge.Check(b, b.table.Register(stays, c))
	b.model[stays] = append(b.model[stays], c)
	var stop atomic.Bool
	var hitting sync.WaitGroup
	hitting.Go(func() {
		h := b.table.NewHitter()
		defer h.Close()
		for !stop.Load() {
			if n := h.Hit(stays); n != 1 {
				b.Errorf("B1: a hit on a key that stays called %d", n)
				return
			}
		}
	})
	churn(b, judge.Rand(b))
	stop.Store(true)
	hitting.Wait()
	b.domain.Barrier()
}

// churn registers and removes random keys.
func churn(b *bench, rnd *rand.Rand) {
	on := map[uprobe.Key]*uprobe.Consumer{}
	for range 3000 {
		k := uprobe.Key{Inode: uint64(rnd.IntN(10)), Offset: uint64(rnd.IntN(4))}
		if c := on[k]; c != nil {
			judge.Check(b, b.table.UnregisterNosync(c))
			delete(on, k)
		} else {
			on[k] = b.consumer()
			judge.Check(b, b.table.Register(k, on[k]))
		}
	}
	for _, c := range on {
		judge.Check(b, b.table.UnregisterNosync(c))
	}
	b.table.Sync()
}
