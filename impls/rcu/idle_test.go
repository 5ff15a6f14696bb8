package rcu

import (
	"path"
	"runtime"
	"slices"
	"testing"
)

// If this fails, a flavour overlooks sections that it promises to see, or one that
// stands for vanilla RCU sees what the kernel does not: livepatch would need no other.
func TestG5IdleReader(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		r := d.Register()
		defer r.Unregister()
		r.EnterIdle()
		d.Synchronize() // idle, and outside: nobody waits for it
		r.Lock()
		if !d.WatchesIdle() {
			d.Synchronize() // the failure is a hang
			r.Unlock()
			r.ExitIdle()
			return
		}
		waitsFor(t, d, r.Unlock)
		r.ExitIdle()
	})
}

// If this fails, a flavour promises something else than what it stands for in the kernel:
// the other tests ask it what it promises.
func TestG5WhoWatches(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		name := path.Base(t.Name())
		if want := slices.Contains([]string{"srcu", "taskstrace", "rude", "chain"}, name); d.WatchesIdle() != want {
			t.Errorf("watches idle readers: %v, want %v", d.WatchesIdle(), want)
		}
		if want := slices.Contains([]string{"srcu", "chain"}, name); d.HasSRCU() != want {
			t.Errorf("has sections of SRCU: %v, want %v", d.HasSRCU(), want)
		}
	})
}

// If this fails, a reader that comes back from idle is overlooked, or, with qsbr, waited
// for although it was quiescent. The failure may be a hang.
func TestG5ExitIdleIsWatchedAgain(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		r := d.Register()
		defer r.Unregister()
		for range 3 {
			h := holdOpen(d)
			r.EnterIdle()
			r.ExitIdle()
			h.end() // r has been quiescent: nobody but the holder was waited for
			r.Lock()
			waitsFor(t, d, func() { leave(r) })
		}
	})
}

// waitsFor begins a grace period, which must not end before somebody has left.
func waitsFor(t *testing.T, d *Domain, leave func()) {
	t.Helper()
	done := make(chan struct{})
	before := d.ctr.Load()
	go func() {
		d.Synchronize()
		close(done)
	}()
	until(func() bool { return d.ctr.Load() != before })
	for range 200 {
		runtime.Gosched()
	}
	select {
	case <-done:
		t.Error("Synchronize returned with the reader inside")
	default:
	}
	leave()
	<-done
}

// If this fails, misuse of idle goes unnoticed.
func TestIdleMisusePanics(t *testing.T) {
	d := Variants()[0].New(Options{Lazy: OnlyBarrier})
	defer d.Close()
	for name, misuse := range map[string]func(r *Reader){
		"idle inside a section":         func(r *Reader) { r.Lock(); r.EnterIdle() },
		"idle twice":                    func(r *Reader) { r.EnterIdle(); r.EnterIdle() },
		"left idle inside a section":    func(r *Reader) { r.EnterIdle(); r.Lock(); r.ExitIdle() },
		"left idle without having been": func(r *Reader) { r.ExitIdle() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse(d.Register())
		}()
	}
}

// If this fails, rude does not visit the CPUs, which is all that it does.
func TestRudeItems(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		d.Synchronize()
		first := d.Work().Items
		d.Synchronize()
		if second := d.Work().Items; second != 2*first {
			t.Errorf("%d work items for one grace period, %d for two", first, second)
		}
		if (first > 0) != (path.Base(t.Name()) == "rude") {
			t.Errorf("%d work items", first)
		}
	})
}
