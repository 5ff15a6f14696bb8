package uprobe

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// newTable opens a Table whose domain starts no grace period unasked.
func newTable(tb testing.TB, v Variant) (*Table, *rcu.Domain) {
	tb.Helper()
	judge.Need(tb, v.Supported(), "uprobe", v.Name)
	d, err := v.New.Domain(rcu.Options{Lazy: rcu.OnlyBarrier})
	judge.Check(tb, err)
	t := New(v.New, d)
	tb.Cleanup(d.Close)
	return t, d
}

func variant(tb testing.TB, name string) Variant {
	tb.Helper()
	v, err := impls.Find("variant", Variants(), name)
	judge.Check(tb, err)
	return v
}

func counting() *Consumer { return &Consumer{Handler: func(_ *Consumer, h *Hitter) { h.Count++ }} }

// If this fails, a reference that is put twice frees a uprobe under who has one, and nobody
// hears of it.
func TestB4DoublePut(t *testing.T) {
	for _, name := range []string{"rwlock", "srcu", "inc-not-zero"} { // those with a refcount_t
		t.Run(name, func(t *testing.T) {
			table, d := newTable(t, variant(t, name))
			c := counting()
			judge.Check(t, table.Register(Key{1, 2}, c))
			u := c.on.Load()
			judge.Check(t, table.Unregister(c))
			if _, any := table.Warnings(); any {
				t.Fatal("a warning before anything went wrong")
			}
			table.policy.put(table, nil, u)
			d.Barrier()
			counts, _ := table.Warnings()
			if counts[WarnUnder] != 1 || counts[WarnTwice] != 0 {
				t.Errorf("after a double put: %v", counts)
			}
		})
	}
}

// If this fails, a refcount_t that was misused goes on counting: sooner or later it comes by
// zero again, and frees what somebody holds; or nobody hears of it.
func TestB4Saturation(t *testing.T) {
	table, _ := newTable(t, variant(t, "rwlock"))
	for name, tc := range map[string]struct {
		misuse func(u *Uprobe)
		warned Warning
	}{
		"inc from zero": {func(u *Uprobe) { refInc(table, u) }, WarnZero},
		"dec below zero": {func(u *Uprobe) {
			if refDec(table, u) {
				t.Error("an underflow is taken for the last reference")
			}
		}, WarnUnder},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := table.Warnings()
			u := &Uprobe{}
			if refIncNotZero(u) {
				t.Error("inc_not_zero took a reference from zero")
			}
			tc.misuse(u)
			after, _ := table.Warnings()
			if after[tc.warned] != before[tc.warned]+1 || u.ref.Load() != saturated {
				t.Errorf("the count is %#x, warnings %v, after %v", u.ref.Load(), after, before)
			}
			refInc(table, u)
			for range 3 {
				if refDec(table, u) {
					t.Error("a saturated count came to zero")
				}
			}
		})
	}
}

// If this fails, a hit that reads a freed uprobe goes on as if nothing had happened, and B3
// is never seen to break.
func TestB3Poison(t *testing.T) {
	for _, v := range impls.OnlySound(Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			table, d := newTable(t, v)
			c := counting()
			judge.Check(t, table.Register(Key{1, 2}, c))
			u := c.on.Load()
			judge.Check(t, table.Unregister(c))
			d.Barrier()
			h := table.NewHitter()
			defer h.Close()
			h.handlerChain(u)
			if counts, _ := table.Warnings(); counts[WarnFreed] != 1 || h.Count != 0 {
				t.Errorf("warnings %v, %d consumers called", counts, h.Count)
			}
			if table.tree.search(u.key) != nil || u.key == (Key{}) {
				t.Errorf("a freed uprobe has the key %v", u.key)
			}
		})
	}
}

// If this fails, hits on uprobes of their own write to a cache line that they have in common,
// and keys=different measures nothing.
func TestUprobesShareNoLine(t *testing.T) {
	if size := unsafe.Sizeof(Uprobe{}); size%128 != 0 {
		t.Errorf("a uprobe has %d bytes", size)
	}
}

// If this fails, a removal costs another number of grace periods than its variant is for:
// one each, or one for a batch.
func TestWaitsOfRemovals(t *testing.T) {
	for _, v := range impls.OnlySound(Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			table, d := newTable(t, v)
			const n = 10
			var list []*Consumer
			for i := range n {
				c := counting()
				list = append(list, c)
				judge.Check(t, table.Register(Key{1, uint64(i)}, c))
			}
			waits := func() uint64 { return d.Counters().Waited }
			want := func(n uint64) uint64 {
				if v.New.Sections {
					return n
				}
				return 0
			}
			before := waits()
			for _, c := range list[:n/2] {
				judge.Check(t, table.Unregister(c))
			}
			if got := waits() - before; got != want(n/2) {
				t.Errorf("%d removals one by one waited %d times, want %d", n/2, got, want(n/2))
			}
			before = waits()
			for _, c := range list[n/2:] {
				judge.Check(t, table.UnregisterNosync(c))
			}
			table.Sync()
			if got := waits() - before; got != want(1) {
				t.Errorf("a batch of %d removals waited %d times, want %d", n/2, got, want(1))
			}
			d.Barrier()
			if n := table.InUse(); n != 0 {
				t.Errorf("B5: %d uprobes in use", n)
			}
		})
	}
}

// If this fails, a registration for which there is no memory leaves something behind, or
// keeps its consumer from being registered later.
func TestB5NoMemory(t *testing.T) {
	for _, v := range impls.OnlySound(Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			table, d := newTable(t, v)
			c := counting()
			table.FailAfter(0)
			if err := table.Register(Key{1, 1}, c); !errors.Is(err, ErrNoMem) {
				t.Fatalf("Register = %v, want ErrNoMem", err)
			}
			if n := table.InUse(); n != 0 {
				t.Errorf("%d uprobes in use", n)
			}
			judge.Check(t, table.Register(Key{1, 1}, c))
			h := table.NewHitter()
			defer h.Close()
			if called := h.Hit(Key{1, 1}); called != 1 || h.Count != 1 {
				t.Errorf("a hit called %d", called)
			}
			judge.Check(t, table.UnregisterNosync(c))
			d.Barrier()
		})
	}
}

// If this fails, the tree loses nodes, or keeps them, or is none.
func TestTree(t *testing.T) {
	var tr tree
	rnd := judge.Rand(t)
	model := map[Key]*Uprobe{}
	for range 20000 {
		k := Key{uint64(rnd.IntN(4)), uint64(rnd.IntN(64))}
		u := model[k]
		if got := tr.search(k); got != u {
			t.Fatalf("search(%v) = %v, want %v", k, got, u)
		}
		if got := tr.searchLockless(k); got != u {
			t.Fatalf("searchLockless(%v) = %v, want %v", k, got, u)
		}
		if u == nil {
			model[k] = &Uprobe{key: k}
			tr.insert(model[k])
		} else {
			tr.erase(u)
			delete(model, k)
		}
		if rnd.IntN(100) == 0 {
			if n := check(t, tr.root.Load(), nil, nil); n != len(model) {
				t.Fatalf("%d nodes, want %d", n, len(model))
			}
		}
	}
	if tr.seq.Load()%2 != 0 {
		t.Error("the sequence count says that a writer is at it")
	}
}

// check walks a branch whose keys lie between two, and counts its nodes.
func check(t *testing.T, u *Uprobe, low, high *Key) int {
	t.Helper()
	if u == nil {
		return 0
	}
	if low != nil && !low.less(u.key) || high != nil && !u.key.less(*high) {
		t.Fatalf("the key %v is in the wrong branch", u.key)
	}
	for i := range u.child {
		if c := u.child[i].Load(); c != nil && c.weight() > u.weight() {
			t.Fatalf("%v is above %v", u.key, c.key)
		}
	}
	return 1 + check(t, u.child[0].Load(), low, &u.key) + check(t, u.child[1].Load(), &u.key, high)
}

func BenchmarkHit(b *testing.B) {
	for _, v := range impls.OnlySound(Variants()) {
		b.Run("impl="+v.Name, func(b *testing.B) {
			table, d := newTable(b, v)
			for i := range uint64(32) {
				judge.Check(b, table.Register(Key{1, i}, counting()))
			}
			h := table.NewHitter()
			defer h.Close()
			h.Hits(Key{1, 7}, b.N)
			_ = d
		})
	}
}
