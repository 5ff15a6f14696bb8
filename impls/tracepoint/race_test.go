package tracepoint

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
)

// If this fails, a probe does not read what was written to its data before Register; or the
// race detector reports a race where there is none, because it cannot see that the site's
// plain load of the array pairs with Publish. Nothing else orders the write before the read:
// the reader fires all the time, and no strategy here waits for a grace period in between.
func TestRaceDetectorSeesPublish(t *testing.T) {
	for _, c := range []struct {
		strategy, path string
		probes         int
	}{
		{"naive-sync", "direct call", 1},
		{"indirect-iterator", "iterator", 1},
		{"naive-sync", "iterator", 2},
		{"bound", "thunk", 1},
	} {
		t.Run(c.path+" of "+c.strategy, func(t *testing.T) {
			needProcs(t, 2)
			b := newBench(t, strategy(t, c.strategy).New, flavour(t, "memb"), 1)
			var stop atomic.Bool
			started, gone := make(chan bool), make(chan bool)
			go func() {
				defer close(gone)
				r := b.domain.Register()
				defer r.Unregister()
				b.points[0].Fire(r)
				close(started)
				for !stop.Load() {
					b.points[0].Fire(r)
					runtime.Gosched()
				}
			}()
			<-started
			for i := range 100 {
				var letters []*letter
				for n := range c.probes {
					l := &letter{text: uint64(i*c.probes + n + 1)}
					letters = append(letters, l)
					b.add(0, letterProbe(t, l))
				}
				for _, l := range letters {
					for l.read.Load() == 0 {
						runtime.Gosched()
					}
					if got := l.read.Load(); got != l.text {
						t.Errorf("a probe read %d, want %d", got, l.text)
					}
				}
				b.remove(0, dispatch.Probe{})
			}
			stop.Store(true)
			<-gone
		})
	}
}
