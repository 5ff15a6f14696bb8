package rcu

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If this fails, a flavour does not watch the readers that its model in the kernel watches. All
// other tests ask the flavour which readers it watches.
func TestG5WatchedReaders(t *testing.T) {
	for name, want := range map[string]struct{ idle, srcu bool }{
		"qsbr": {}, "memb": {}, "paced": {}, "kernelgp": {},
		"srcu": {true, true}, "chain": {true, true},
		"taskstrace": {true, false}, "rude": {true, false},
	} {
		v, err := impls.Find("flavour", Variants(), name)
		judge.Check(t, err)
		if v.Supported() != nil {
			continue
		}
		d := v.New(Options{Lazy: OnlyBarrier})
		if d.WatchesIdle() != want.idle || d.HasSRCU() != want.srcu {
			t.Errorf("%s: watches idle readers: %v, has sections of SRCU: %v; want %v", name, d.WatchesIdle(), d.HasSRCU(), want)
		}
		d.Close()
	}
}

// If this fails, misuse of idle does not panic.
func TestIdleMisusePanics(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		panics(t, d, map[string]func(r *Reader){
			"idle inside a section":       func(r *Reader) { r.Lock(); r.EnterIdle() },
			"idle twice":                  func(r *Reader) { r.EnterIdle(); r.EnterIdle() },
			"not idle inside a section":   func(r *Reader) { r.EnterIdle(); r.Lock(); r.ExitIdle() },
			"not idle without being idle": func(r *Reader) { r.ExitIdle() },
		})
	})
}

// If this fails, a grace period runs another number of work items than the one before it, or a
// flavour without a thread for them counts some. TestG1RudeSwitchesEveryCPU counts those of rude.
func TestWorkItems(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		d.Synchronize()
		first := d.Work().Items
		d.Synchronize()
		if second := d.Work().Items; second != 2*first {
			t.Errorf("%d work items for one grace period, %d for two", first, second)
		}
		if first > 0 && d.flavour.close == nil {
			t.Errorf("%d work items", first)
		}
	})
}
