package benches

import (
	"fmt"
	"sync/atomic"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/uprobe"
)

var (
	uprobeImpls = variantAxis(uprobe.Variants())
	checkUprobe = checkVariant(uprobe.Variants)
)

var uprobeHitBench = Benchmark{
	Names: []string{"UprobeHit"},
	Doc:   "hitting a uprobe whose one consumer counts, on so many CPUs at once: all the same uprobe, or each CPU another one",
	Roles: []string{"uprobe-hit"},
	axes: []axis{
		uprobeImpls, axisOf("keys", "same", "different"),
		numbers("cpus", func(p Params) []int { return p.CPUs }, 1, 2),
	},
	fits: func(k keys) bool {
		return k.num("cpus") > 1 || k.num("cpus") == 1 && k["keys"] == "same"
	},
	hardware: wholly,
	check:    checkUprobe,
	open:     openUprobeHit,
}

// uprobeHits is how many hits a thread beside makes before it stores their number: few,
// compared with those of a batch, and so many that storing costs nothing.
const uprobeHits = 16

// openUprobeHit times the hits of the measuring thread, and counts those of all threads in
// the same time for the rate. The measuring thread hits the same uprobe with both values of
// keys; those of the other threads lie at other depths of the tree, which the rate contains.
func openUprobeHit(k keys, e *harness.Env) (*harness.Op, error) {
	cpus := k.num("cpus")
	b, err := newUprobeSetup(k, max(uprobeOthers, 2*cpus))
	if err != nil {
		return nil, err
	}
	// The uprobes of two threads are at least two apart, so that they share no cache line.
	key := func(thread int) uprobe.Key {
		if k["keys"] == "same" {
			return uprobeKey(0)
		}
		return uprobeKey(thread * len(b.others) / cpus)
	}
	beside := make([]hitCount, cpus-1)
	for i := range beside {
		err := e.Beside(func() (pass, end func(), err error) {
			h, k := b.table.NewHitter(), key(i+1)
			return func() {
				for range 16 {
					h.Hits(k, uprobeHits)
					beside[i].hits.Store(h.Count)
				}
			}, h.Close, nil
		})
		if err != nil {
			return nil, err
		}
	}
	h := b.table.NewHitter()
	return &harness.Op{
		Run: func(n int, t harness.Timer) {
			counted := h.Count
			t.Start(0)
			h.Hits(key(0), n)
			t.Stop()
			if h.Count-counted != uint64(n) {
				panic(fmt.Sprintf("benches: %d hits, of which consumers counted %d", n, h.Count-counted))
			}
		},
		Rate: func() harness.Count {
			all := h.Count
			for i := range beside {
				all += beside[i].hits.Load()
			}
			return harness.Count{Unit: "hits", N: all}
		},
		Close: func() {
			e.Stop()
			h.Close()
			b.close()
		},
	}, nil
}

// A hitCount is how many hits a thread beside has made. That thread writes it, the
// measuring thread reads it.
type hitCount struct {
	hits atomic.Uint64
	_    [120]byte // so that two of them share no pair of cache lines
}

var uprobeRegisterBench = Benchmark{
	Names: []string{"UprobeRegister", "UprobeUnregister"},
	Doc:   "registering a batch of consumers, each on another uprobe, and unregistering them with one wait for all",
	axes:  []axis{uprobeImpls, numbers("batch", nil, 1, 10, 100)},
	fits:  func(k keys) bool { return k.num("batch") > 0 },
	check: checkUprobe,
	open: func(k keys, _ *harness.Env) (*harness.Op, error) {
		b, err := newUprobeSetup(k, uprobeOthers)
		if err != nil {
			return nil, err
		}
		batch := make([]*uprobe.Consumer, k.num("batch"))
		for i := range batch {
			batch[i] = &uprobe.Consumer{Handler: countHit}
		}
		return &harness.Op{
			Divide: []harness.Count{{Unit: "uprobe", N: uint64(len(batch))}},
			Run: func(n int, t harness.Timer) {
				for range n {
					t.Start(0)
					for i, c := range batch {
						must(b.table.Register(uprobeKey(uprobeOthers+i), c))
					}
					t.Stop()
					t.Start(1)
					for _, c := range batch {
						must(b.table.UnregisterNosync(c))
					}
					b.table.Sync()
					t.Stop()
					b.domain.Barrier() // the callbacks of that are not the operation's
				}
			},
			Counts: func() []harness.Count {
				return []harness.Count{{Unit: "gp-waits", N: b.domain.Counters().Waited}}
			},
			Close: b.close,
		}, nil
	},
}

// uprobeOthers is how many uprobes the tree has at least, so that it has some depth.
const uprobeOthers = 32

func uprobeKey(i int) uprobe.Key { return uprobe.Key{Inode: 1, Offset: 16 * uint64(i)} }

func countHit(_ *uprobe.Consumer, h *uprobe.Hitter) { h.Count++ }

// A uprobeSetup is a table with some uprobes in it, of one consumer each.
type uprobeSetup struct {
	domain *rcu.Domain
	table  *uprobe.Table
	others []*uprobe.Consumer
}

func newUprobeSetup(k keys, others int) (*uprobeSetup, error) {
	policy := find(uprobe.Variants(), k["impl"]).New
	domain, err := policy.Domain(rcu.Options{})
	if err != nil {
		return nil, err
	}
	b := &uprobeSetup{domain: domain, table: uprobe.New(policy, domain)}
	for i := range others {
		c := &uprobe.Consumer{Handler: countHit}
		if err := b.table.Register(uprobeKey(i), c); err != nil {
			return nil, err
		}
		b.others = append(b.others, c)
	}
	return b, nil
}

func (b *uprobeSetup) close() {
	for _, c := range b.others {
		must(b.table.UnregisterNosync(c))
	}
	b.table.Sync()
	b.domain.Close()
}
