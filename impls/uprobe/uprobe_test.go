package uprobe

import (
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// newTable opens a Table whose Domain starts a grace period only when it is asked to.
func newTable(tb testing.TB, v Variant) (*Table, *rcu.Domain) {
	tb.Helper()
	judge.Need(tb, v.Supported(), "uprobe", v.Name)
	d, err := v.New.Domain(rcu.Options{Lazy: rcu.OnlyBarrier})
	judge.Check(tb, err)
	tb.Cleanup(d.Close)
	return New(v.New, d), d
}

// eachSound runs test over every sound variant.
func eachSound(t *testing.T, test func(t *testing.T, v Variant, table *Table, d *rcu.Domain)) {
	t.Helper()
	for _, v := range impls.OnlySound(Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			table, d := newTable(t, v)
			test(t, v, table, d)
		})
	}
}

func counting() *Consumer { return &Consumer{Handler: func(_ *Consumer, h *Hitter) { h.Count++ }} }

// If this fails, a reference that is put twice frees a uprobe that another thread has a
// reference to, without a warning.
func TestB4DoublePut(t *testing.T) {
	eachSound(t, func(t *testing.T, v Variant, table *Table, d *rcu.Domain) {
		if v.New.initial >= saturated {
			t.Skip("the reference word is no refcount_t")
		}
		c := counting()
		judge.Check(t, table.Register(Key{1, 2}, c))
		u := c.on.Load()
		judge.Check(t, table.Unregister(c))
		if _, any := table.Warnings(); any {
			t.Fatal("a warning before the double put")
		}
		table.policy.put(table, nil, u)
		d.Barrier()
		counts, _ := table.Warnings()
		if counts[WarnUnder] != 1 || counts[WarnTwice] != 0 {
			t.Errorf("after a double put: %v", counts)
		}
	})
}

// If this fails, a misused refcount_t continues to count, and comes to 0 while a thread has a
// reference; or there is no warning.
func TestB4Saturation(t *testing.T) {
	table := New(&Policy{}, nil)
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

// If this fails, a hit that reads a freed uprobe continues without a warning, and no test can see
// that B3 is broken.
func TestB3Poison(t *testing.T) {
	eachSound(t, func(t *testing.T, _ Variant, table *Table, d *rcu.Domain) {
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

// If this fails, hits on different uprobes write to the same cache line, and the benchmark's
// keys=different measures that.
func TestUprobesShareNoLine(t *testing.T) {
	if size := unsafe.Sizeof(Uprobe{}); size%128 != 0 {
		t.Errorf("a uprobe has %d bytes", size)
	}
}

// If this fails, the tree loses nodes, keeps removed ones, or has them in the wrong order.
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
		t.Error("the sequence count is odd with no writer")
	}
}

// check checks the order of a branch, whose keys lie between low and high, and counts its nodes.
// A nil bound is none.
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
