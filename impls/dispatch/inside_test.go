package dispatch

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// onCall is called by the probe callBack. A probe cannot capture variables.
var onCall func()

func callBack(unsafe.Pointer, uint64, uint64) { onCall() }

// If this fails, a site takes a reader that is in many sections for one in none, and ends them.
func TestD2DeepSections(t *testing.T) {
	sites := events(t, TextSites+1)
	funcs, log := recorders(t, 1, nil)
	for _, s := range []*Site{sites[0], sites[TextSites], Timed(0)} {
		arm(t, s, Dispatch{Direct: true}, funcs)
	}
	for _, depth := range []int{1, 2, 255, 256, 257, 512, 4096} {
		for _, pass := range []func(*rcu.Reader){
			sites[0].Fire, sites[TextSites].Fire, func(r *rcu.Reader) { Timed(0).Loop(r, 1) },
		} {
			r := newReader(t)
			for range depth {
				r.Lock()
			}
			*log = nil
			pass(r)
			if len(*log) == 0 {
				t.Fatal("no probe was called")
			}
			for range depth {
				r.Unlock() // panics if it is in none
			}
		}
	}
}

// If this fails, a probe runs outside the section at which its flavour's grace periods look:
// the inline section of sites is another one. Or a probe that panics leaves more sections open
// than one. The failure may be a hang.
func TestD2SectionsThatAreNotInline(t *testing.T) {
	sites := events(t, 1)
	timed := Timed(0)
	funcs := []Entry{{Fn: uintptr(goFunc(t, callBack))}, {}}
	arm(t, sites[0], Dispatch{Direct: true}, funcs)
	arm(t, timed, Dispatch{Direct: true}, funcs)
	for _, v := range impls.OnlySound(rcu.Variants()) {
		for _, way := range []struct {
			name string
			pass func(r *rcu.Reader)
		}{
			{"Fire", sites[0].Fire},
			{"Sweep", func(r *rcu.Reader) { Sweep(r, 1) }},
			{"Loop", func(r *rcu.Reader) { timed.Loop(r, 1) }},
		} {
			t.Run(v.Name+"/"+way.name, func(t *testing.T) {
				judge.Need(t, v.Supported(), "rcu", v.Name)
				d := v.New(rcu.Options{Lazy: rcu.OnlyBarrier})
				defer d.Close()
				if !d.WatchesIdle() {
					t.Skip("does not watch idle readers")
				}
				r := d.Register()
				r.EnterIdle()
				var done chan struct{}
				onCall = func() {
					if done != nil {
						return // one of Loop's other sites
					}
					done = make(chan struct{})
					before := d.Counters().Started
					go func() {
						d.Synchronize()
						close(done)
					}()
					for d.Counters().Started == before {
						runtime.Gosched()
					}
					for range 100 {
						runtime.Gosched()
					}
					select {
					case <-done:
						t.Error("a grace period ended in the middle of a probe")
					default:
					}
				}
				way.pass(r)
				<-done
				onCall = func() { panic("probe") }
				func() {
					defer func() {
						recover()
						r.Unlock()
					}()
					way.pass(r)
				}()
				d.Synchronize() // nothing is left open
				r.ExitIdle()
				r.Unregister()
			})
		}
	}
}
