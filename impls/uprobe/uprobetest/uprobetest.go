package uprobetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/uprobe"
)

// A testCase is one promise, with what it would mean if it were broken.
type testCase struct {
	name        string
	explanation string
	test        func(b *bench)
}

// Run runs all cases against a variant.
func Run(t *testing.T, v uprobe.Variant) {
	judge.Need(t, v.Supported(), "uprobe", v.Name)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := v.New.Domain(rcu.Options{Lazy: rcu.OnlyBarrier})
			judge.Check(t, err)
			defer d.Close()
			b := &bench{T: t, policy: v.New, domain: d, table: uprobe.New(v.New, d), model: map[uprobe.Key][]*uprobe.Consumer{}}
			b.hitter = b.table.NewHitter()
			defer b.hitter.Close()
			defer func() {
				if t.Failed() {
					t.Log(c.explanation)
				}
			}()
			c.test(b)
			b.empty()
		})
	}
}

var cases = []testCase{
	{
		"B1 B5: random registrations and removals",
		"If a history could make a hit call others than the consumers that are registered on its key, or an error changed anything, a tracer would miss events, or get others'.",
		randomHistory,
	},
	{
		"B1: what is refused",
		"If a consumer without a handler, one that is registered already, or the removal of one that is not, were accepted, lists would be corrupted.",
		refusals,
	},
	{
		"B2: a hit under way",
		"If Unregister returned while a hit is still calling the consumer, its owner would free it under that hit.",
		hitUnderWay,
	},
	{
		"B2: a batch",
		"If Sync did not wait for all removals before it, a batch would free consumers that are still called.",
		batchUnderWay,
	},
	{
		"B1: keys that come and go beside one that stays",
		"If a search could miss, while the tree changes, a key that is there all the time, its breakpoint would be taken for nobody's, and the thread that hit it would be killed by SIGTRAP.",
		permanentKey,
	},
}

// A bench is a Table beside its model.
type bench struct {
	*testing.T
	policy *uprobe.Policy
	domain *rcu.Domain
	table  *uprobe.Table
	hitter *uprobe.Hitter
	model  map[uprobe.Key][]*uprobe.Consumer
	called []*uprobe.Consumer
}

// consumer makes one that logs its calls.
func (b *bench) consumer() *uprobe.Consumer {
	return &uprobe.Consumer{Handler: func(c *uprobe.Consumer, _ *uprobe.Hitter) { b.called = append(b.called, c) }}
}

// hits compares a hit on the key with the model: the newest consumer first.
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
	judge.Check(b, b.table.Unregister(c))
	at := slices.Index(b.model[k], c)
	b.model[k] = slices.Delete(b.model[k], at, at+1)
	b.hits(k)
}

// empty takes everything away, and looks for what is left.
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

func refusals(b *bench) {
	k := uprobe.Key{Inode: 1}
	c := b.consumer()
	if err := b.table.Register(k, &uprobe.Consumer{}); !errors.Is(err, uprobe.ErrInvalid) {
		b.Errorf("without a handler: %v", err)
	}
	if err := b.table.Unregister(c); !errors.Is(err, uprobe.ErrNotFound) {
		b.Errorf("unknown: %v", err)
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
		b.Errorf("a hit on nothing called %d", n)
	}
}

// held is a hit that stays in its consumer until it is let go.
type held struct {
	consumer       uprobe.Consumer
	entered, leave chan bool
	gone           chan bool
	left           atomic.Bool
}

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

func hitUnderWay(b *bench) {
	x := b.hold(uprobe.Key{Inode: 1})
	done := make(chan bool)
	go func() {
		if err := b.table.Unregister(&x.consumer); err != nil {
			b.Error(err)
		}
		if !x.left.Load() {
			b.Error("B2: Unregister returned with a hit in the consumer")
		}
		close(done)
	}()
	// Those that nobody holds up go through meanwhile, and take longer than this one
	// would, had it not to wait.
	for i := range uint64(20) {
		c := b.consumer()
		b.register(uprobe.Key{Inode: 7, Offset: i}, c)
	}
	x.leave <- true
	<-x.gone
	<-done
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
	done := make(chan bool)
	go func() {
		for _, c := range append(batch, &x.consumer) {
			if err := b.table.UnregisterNosync(c); err != nil {
				b.Error(err)
			}
		}
		b.table.Sync()
		if !x.left.Load() {
			b.Error("B2: Sync returned with a hit in a consumer that was removed before")
		}
		close(done)
	}()
	x.leave <- true
	<-x.gone
	<-done
}

func permanentKey(b *bench) {
	stays := uprobe.Key{Inode: 5, Offset: 5}
	var count atomic.Uint64
	c := &uprobe.Consumer{Handler: func(*uprobe.Consumer, *uprobe.Hitter) { count.Add(1) }}
	judge.Check(b, b.table.Register(stays, c))
	b.model[stays] = append(b.model[stays], c)
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		h := b.table.NewHitter()
		defer h.Close()
		for {
			select {
			case <-stop:
				return
			default:
			}
			for range 100 {
				if n := h.Hit(stays); n != 1 {
					b.Errorf("B1: a hit on a key that stays called %d", n)
					return
				}
			}
		}
	}()
	rnd := judge.Rand(b)
	churn(b, rnd)
	close(stop)
	<-done
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
