package dispatch

import (
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

func argumentsAndOrder(t *testing.T, d Dispatch, p place) {
	r := newReader(t)
	for probes := range 9 {
		funcs, log := recorders(t, probes, nil)
		p.site.Fire(r) // off: nothing
		arm(t, p.site, d, funcs)
		p.site.Fire(r)
		compareCalls(t, *log, p.expect(probes, 1))
		disarm(t, p.site, d)
		p.site.Fire(r) // off again: no more
		compareCalls(t, *log, p.expect(probes, 1))
	}
}

// publishedNext changes the array of a site that is on, between all numbers of probes.
func publishedNext(t *testing.T, d Dispatch, p place) {
	r := newReader(t)
	none, _ := recorders(t, 0, nil)
	arm(t, p.site, d, none)
	for from := range 4 {
		for to := range 4 {
			for _, probes := range []int{from, to} {
				funcs, log := recorders(t, probes, nil)
				call(t, p.site, d, funcs)
				p.site.Fire(r)
				compareCalls(t, *log, p.expect(probes, 1))
			}
		}
	}
}

func severalPasses(t *testing.T, d Dispatch, p place) {
	if !p.timed() && !p.site.tail {
		t.Skip("a loop that begins at an event in text passes the events after it")
	}
	const passes = 3
	r := newReader(t)
	for probes := range 3 {
		funcs, log := recorders(t, probes, nil)
		arm(t, p.site, d, funcs)
		p.site.Loop(r, passes)
		var want []Call
		for pass := range passes {
			want = append(want, p.expect(probes, uint64(passes-pass))...)
		}
		compareCalls(t, *log, want)
	}
}

func ordinaryGo(t *testing.T, d Dispatch, p place) {
	var frames []string
	for what, do := range map[string]func(){
		"grows its stack":      func() { grow(1000) },
		"collects garbage":     runtime.GC,
		"yields":               runtime.Gosched,
		"asks for its callers": func() { frames = callerNames() },
	} {
		t.Run(what, func(t *testing.T) {
			if what == "collects garbage" && p.timed() && p.site != Timed(1) {
				t.Skip("one layout is enough")
			}
			for _, probes := range []int{1, 2} {
				funcs, log := recorders(t, probes, do)
				arm(t, p.site, d, funcs)
				domain := newDomain(t)
				done := make(chan struct{})
				go func() { // with a small stack
					defer close(done)
					r := domain.Register()
					defer r.Unregister()
					p.site.Fire(r)
				}()
				<-done
				compareCalls(t, *log, p.expect(probes, 1))
			}
			if what == "asks for its callers" && !slices.ContainsFunc(frames, func(f string) bool {
				return strings.Contains(f, "(*Site).Fire")
			}) {
				t.Errorf("a probe's callers are %v, without Fire", frames)
			}
		})
	}
}

// panics makes a probe panic, which leaves the section open, as an oops in the kernel would.
// The caller that recovers calls Unlock.
func panics(t *testing.T, d Dispatch, p place) {
	for _, probes := range []int{1, 2} {
		r := newReader(t)
		funcs, log := recorders(t, probes, func() { panic("probe") })
		arm(t, p.site, d, funcs)
		func() {
			defer func() {
				if got := recover(); got != "probe" {
					t.Errorf("recovered %v", got)
				}
			}()
			p.site.Fire(r)
		}()
		compareCalls(t, *log, p.expect(probes, 1)[:1])
		if got := nesting(r); got != 1 {
			t.Fatalf("after the panic the reader is in %d sections, want 1", got)
		}
		r.Unlock()
		disarm(t, p.site, d)
		p.site.Fire(r)
		if got := nesting(r); got != 0 {
			t.Errorf("after Unlock and another pass the reader is in %d sections", got)
		}
	}
}

// sectionsNest fires every other place in a probe of this one.
func sectionsNest(t *testing.T, d Dispatch, p place) {
	r := newReader(t)
	var depths []int
	depth := func() { depths = append(depths, nesting(r)) }
	for _, inner := range places(t) {
		if inner.site == p.site || inner.timed() && p.timed() {
			continue
		}
		in, inLog := recorders(t, 1, depth)
		arm(t, inner.site, d, in)
		depths = nil
		inner.site.Fire(r)
		alone := depths[0] // 1, or more with the race detector, since Fire adds a section
		if alone < 1 {
			t.Fatalf("a probe runs in %d sections", alone)
		}

		depths, *inLog = nil, nil
		out, outLog := recorders(t, 1, func() { depth(); inner.site.Fire(r); depth() })
		arm(t, p.site, d, out)
		p.site.Fire(r)
		compareCalls(t, *outLog, p.expect(1, 1))
		var wantIn []Call
		var want []int
		for range p.n {
			wantIn = append(wantIn, inner.expect(1, 1)...)
			want = append(append(append(want, alone), slices.Repeat([]int{2 * alone}, inner.n)...), alone)
		}
		compareCalls(t, *inLog, wantIn)
		if !slices.Equal(depths, want) {
			t.Errorf("sections around the probes of %s in %s: %v, want %v", inner.name, p.name, depths, want)
		}
		if got := nesting(r); got != 0 {
			t.Errorf("after it the reader is in %d sections", got)
		}
		disarm(t, inner.site, d)
	}
}

func noProbes(t *testing.T, d Dispatch, p place) {
	r := newReader(t)
	funcs, _ := recorders(t, 0, nil)
	arm(t, p.site, d, funcs)
	p.site.Fire(r)
	if got := nesting(r); got != 0 {
		t.Errorf("the reader is in %d sections", got)
	}
	r.Lock()
	p.site.Fire(r)
	if got := nesting(r); got != 1 {
		t.Errorf("nested, the reader is in %d sections, want 1", got)
	}
	r.Unlock()
}

// gracePeriodWaits holds a reader in a probe while a grace period begins. The probe returns only
// after the time of twenty grace periods without readers.
func gracePeriodWaits(t *testing.T, d Dispatch, p place) {
	for _, probes := range []int{1, 2} {
		domain, other := newDomain(t), newDomain(t)
		entered, leave := make(chan bool), make(chan bool)
		var left atomic.Bool
		first := true
		funcs, _ := recorders(t, probes, func() {
			if first {
				first = false
				entered <- true
				<-leave
				left.Store(true)
			}
		})
		arm(t, p.site, d, funcs)

		readerGone, synchronized := make(chan bool), make(chan bool)
		go func() {
			r := domain.Register()
			p.site.Fire(r)
			r.Unregister()
			close(readerGone)
		}()
		<-entered
		go func() {
			domain.Synchronize()
			if !left.Load() {
				t.Error("Synchronize returned before the probe")
			}
			close(synchronized)
		}()
		for domain.Counters().Started == 0 {
			runtime.Gosched()
		}
		for range 20 {
			other.Synchronize()
		}
		close(leave)
		<-readerGone
		<-synchronized
	}
}

// whoseData makes the static call go to one registration while the array has another.
func whoseData(t *testing.T, d Dispatch, p place) {
	found, foundLog := recorders(t, 1, nil)
	called, calledLog := recorders(t, 1, nil)
	arm(t, p.site, d, found)
	target, err := d.Target(called)
	judge.Check(t, err)
	defer target.Release()
	judge.Check(t, p.site.StaticCall(target.PC))
	p.site.Fire(newReader(t))
	judge.Check(t, p.site.KeyDisable())
	if d.Bound {
		foundLog, calledLog = calledLog, foundLog
	}
	compareCalls(t, *foundLog, p.expect(1, 1))
	compareCalls(t, *calledLog, nil)
	runtime.KeepAlive(called) // it is in no tp->funcs
}

// becomesNull removes the array after the site has loaded it and before the iterator does.
func becomesNull(t *testing.T, d Dispatch, p place) {
	r := newReader(t)
	funcs, log := recorders(t, 2, nil)
	arm(t, p.site, d, funcs)
	p.site.Fire(r)
	want := p.expect(2, 1)
	compareCalls(t, *log, want)
	if err := p.site.StaticCall(unpublisher(t, d.Iterator())); err != nil {
		t.Fatal(err)
	}
	crashed := func() (crashed bool) {
		defer func() {
			if recover() != nil {
				crashed = true
				r.Unlock() // the panic left the site's section open
			}
		}()
		p.site.Fire(r)
		return false
	}()
	if crashed != d.Unchecked {
		t.Errorf("the iterator crashed on NULL: %v; want %v", crashed, d.Unchecked)
	}
	compareCalls(t, *log, want) // and no more
	if got := nesting(r); got != 0 {
		t.Errorf("after it the reader is in %d sections", got)
	}
	runtime.KeepAlive(funcs) // the collector does not see the store of NULL
}
