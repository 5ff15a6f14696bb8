package dispatch

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// require skips the test where err is ErrUnsupported, and fails it for any other
// error, or if TPBENCH_REQUIRE says that this package must work here.
func require(tb testing.TB, err error) {
	tb.Helper()
	switch required := strings.Split(os.Getenv("TPBENCH_REQUIRE"), ","); {
	case err == nil:
	case errors.Is(err, impls.ErrUnsupported) && !slices.Contains(required, "dispatch"):
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// newReader opens a Domain of the first flavour that runs here and registers a
// reader.
func newReader(tb testing.TB) *rcu.Reader {
	tb.Helper()
	v := rcu.Variants()[0]
	require(tb, v.Supported())
	d := v.New(rcu.Options{})
	r := d.Register()
	tb.Cleanup(func() { r.Unregister(); d.Close() })
	return r
}

// arm turns s on with funcs, which end with a zero entry, until the test ends. With
// no probes there is no array.
func arm(tb testing.TB, s *Site, d Dispatch, funcs []Entry) {
	tb.Helper()
	check(tb, s.StaticCall(d.Target(funcs)))
	if len(funcs) == 1 {
		funcs = nil
	}
	s.Publish(funcs)
	check(tb, s.KeyEnable())
	tb.Cleanup(func() { disarm(tb, s) })
}

func disarm(tb testing.TB, s *Site) {
	tb.Helper()
	check(tb, s.KeyDisable())
	check(tb, s.StaticCall(machine.pcs.traceiter))
	s.Publish(nil)
}

func events(tb testing.TB, n int) []*Site {
	tb.Helper()
	sites, err := Events(n)
	require(tb, err)
	return sites
}

// A place is one kind of site, and what its probes see: passes passes of n sites,
// which say first as their a and one more each.
type place struct {
	name  string
	site  *Site
	first uint64
	n     int
}

// places lists a site of every kind.
func places(tb testing.TB) []place {
	tb.Helper()
	sites := events(tb, TextSites+3)
	list := []place{
		{"text-first", sites[0], 0, 1},
		{"text-second", sites[1], 1, 1},
		{"text-last", sites[TextSites-1], TextSites - 1, 1},
		{"mapped-first", sites[TextSites], 0, 1},
		{"mapped-third", sites[TextSites+2], 0, 1},
	}
	for layout := range Layouts {
		list = append(list, place{fmt.Sprint("timed-", layout), Timed(layout), 0, Unroll})
	}
	return list
}

// expect returns what probes probes log when the place is passed once with b as
// the counter.
func (p place) expect(probes int, b uint64) []call {
	var want []call
	for site := range p.n {
		for probe := range probes {
			want = append(want, call{probe, p.first + uint64(site), b})
		}
	}
	return want
}

func compareCalls(tb testing.TB, got, want []call) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("probes saw %v, want %v", got, want)
	}
}

// If this fails, Open lets a Go release through whose ABI the sites do not speak.
func TestOpenSelfTest(t *testing.T) {
	require(t, Open())
	check(t, selfTest(machine.events[TextSites-1]))
	check(t, Open())
	for _, v := range Variants() {
		check(t, v.Supported())
	}
}

// If this fails, probes get wrong arguments, or are called too often, too rarely
// or in another order than the array's.
func TestD1Arguments(t *testing.T) {
	r := newReader(t)
	for _, v := range Variants() {
		require(t, v.Supported())
		for _, p := range places(t) {
			for _, probes := range []int{0, 1, 2, 4, 8} {
				t.Run(fmt.Sprintf("%s/%s/%d", v.Name, p.name, probes), func(t *testing.T) {
					funcs, log := recorders(t, probes, nil)
					p.site.Fire(r) // off: nothing
					arm(t, p.site, v.New, funcs)
					p.site.Fire(r)
					compareCalls(t, *log, p.expect(probes, 1))
					disarm(t, p.site)
					p.site.Fire(r) // off again: no more
					compareCalls(t, *log, p.expect(probes, 1))
				})
			}
		}
	}
}

// If this fails, a loop of several passes loses its counter to its probes.
func TestD1Passes(t *testing.T) {
	r := newReader(t)
	const passes = 3
	for _, v := range Variants() {
		for _, p := range places(t) {
			if strings.HasPrefix(p.name, "text") {
				continue // they pass other sites, see TestD1Sweep
			}
			t.Run(v.Name+"/"+p.name, func(t *testing.T) {
				funcs, log := recorders(t, 2, nil)
				arm(t, p.site, v.New, funcs)
				p.site.run(p.site.entry, r, passes)
				var want []call
				for pass := range passes {
					want = append(want, p.expect(2, uint64(passes-pass))...)
				}
				compareCalls(t, *log, want)
			})
		}
	}
}

// If this fails, a sweep misses events, passes some twice, or runs past the last.
func TestD1Sweep(t *testing.T) {
	r := newReader(t)
	sites := events(t, TextSites)
	fn := goFunc(t, tallyProbe)
	tallies := make([]tally, TextSites)
	enable, disable := KeyChanges(sites)
	for i, s := range sites {
		tallies[i].event = uint64(i)
		s.Publish(tallyEntries(fn, &tallies[i]))
	}
	check(t, textpoke.Int3Batch(enable))
	t.Cleanup(func() {
		check(t, textpoke.Int3Batch(disable))
		for _, s := range sites {
			s.Publish(nil)
		}
	})
	for _, n := range []int{1, 2, 511, 512, 513, TextSites} {
		clearCalls(tallies)
		Sweep(r, n)
		for i, got := range tallies {
			want := uint64(0)
			if i < n {
				want = 1
			}
			if got.calls != want || got.alien != 0 {
				t.Fatalf("sweep of %d: event %d was called %d times (%d with another's number), want %d", n, i, got.calls, got.alien, want)
			}
		}
	}
	clearCalls(tallies)
	fire(sites[TextSites-2].entry, r, 100)
	if got := tallies[TextSites-1].calls; got != 1 {
		t.Errorf("a sweep past the last event called it %d times, want 1", got)
	}
	if got := nesting(r); got != 0 {
		t.Errorf("after the sweeps the reader is in %d sections", got)
	}
}

func clearCalls(tallies []tally) {
	for i := range tallies {
		tallies[i].calls = 0
	}
}

// If this fails, events by the hundred thousand cannot be made, or their sites are
// not each other's equals.
func TestD1ManyMappedSites(t *testing.T) {
	r := newReader(t)
	const many = 100_000
	sites := events(t, many)
	if again := events(t, many); again[many-1] != sites[many-1] {
		t.Error("Events made the same events twice")
	}
	for i := TextSites; i < many; i += 9973 {
		var n uint64
		arm(t, sites[i], Dispatch{Direct: true}, countEntries(&n))
		sites[i].Fire(r)
		sites[i-1].Fire(r)
		if n != 1 {
			t.Errorf("event %d: %d calls, want 1", i, n)
		}
	}
}

// If this fails, probes are not ordinary Go functions: the runtime loses its way
// when it moves their stack, collects garbage, or unwinds.
func TestD1OrdinaryGo(t *testing.T) {
	var frames []string
	for _, does := range []struct {
		what string
		do   func()
	}{
		{"grows its stack", func() { grow(1000) }},
		{"collects garbage", runtime.GC},
		{"yields", runtime.Gosched},
		{"asks for its callers", func() { frames = callers() }},
	} {
		for _, v := range Variants() {
			for _, p := range places(t) {
				t.Run(fmt.Sprintf("%s/%s/%s", does.what, v.Name, p.name), func(t *testing.T) {
					if does.what == "collects garbage" && p.n > 1 && p.site != Timed(1) {
						t.Skip("one layout is enough")
					}
					for _, probes := range []int{1, 2} {
						funcs, log := recorders(t, probes, does.do)
						arm(t, p.site, v.New, funcs)
						done := make(chan struct{})
						go func() { // with a small stack
							defer close(done)
							r := newReader(t)
							p.site.Fire(r)
						}()
						<-done
						compareCalls(t, *log, p.expect(probes, 1))
					}
					if does.what == "asks for its callers" && !slices.ContainsFunc(frames, func(f string) bool {
						return strings.Contains(f, "(*Site).Fire")
					}) {
						t.Errorf("a probe's callers are %v, without Fire", frames)
					}
				})
			}
		}
	}
}

func callers() []string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var names []string
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		names = append(names, f.Function)
	}
	return names
}

// If this fails, a panic cannot cross a site. It leaves the section open, as an
// oops in the kernel would: who recovers calls Unlock.
func TestD1Panic(t *testing.T) {
	for _, v := range Variants() {
		for _, p := range places(t) {
			t.Run(v.Name+"/"+p.name, func(t *testing.T) {
				r := newReader(t)
				funcs, log := recorders(t, 1, func() { panic("probe") })
				arm(t, p.site, v.New, funcs)
				func() {
					defer func() {
						if got := recover(); got != "probe" {
							t.Errorf("recovered %v", got)
						}
					}()
					p.site.Fire(r)
				}()
				compareCalls(t, *log, p.expect(1, 1)[:1])
				if got := nesting(r); got != 1 {
					t.Fatalf("after the panic the reader is in %d sections, want 1", got)
				}
				r.Unlock()
				disarm(t, p.site)
				p.site.Fire(r)
				if got := nesting(r); got != 0 {
					t.Errorf("after Unlock and another pass the reader is in %d sections", got)
				}
			})
		}
	}
}

// If this fails, a probe that fires another site ends its own section early, or
// leaves one open.
func TestD2Nesting(t *testing.T) {
	r := newReader(t)
	for _, outer := range places(t) {
		for _, inner := range places(t) {
			if outer.site.point == inner.site.point {
				continue // the timed loops share one tracepoint
			}
			t.Run(outer.name+"/"+inner.name, func(t *testing.T) {
				var depths []int
				depth := func() { depths = append(depths, nesting(r)) }
				in, inLog := recorders(t, 1, depth)
				out, outLog := recorders(t, 1, func() { depth(); inner.site.Fire(r); depth() })
				arm(t, inner.site, Dispatch{}, in)
				arm(t, outer.site, Dispatch{Direct: true}, out)
				outer.site.Fire(r)
				compareCalls(t, *outLog, outer.expect(1, 1))
				var wantIn []call
				var want []int
				for range outer.n {
					wantIn = append(wantIn, inner.expect(1, 1)...)
					want = append(append(append(want, 1), slices.Repeat([]int{2}, inner.n)...), 1)
				}
				compareCalls(t, *inLog, wantIn)
				for i := range want {
					want[i] *= sectionsPerFire
				}
				if !slices.Equal(depths, want) {
					t.Errorf("sections around the probes: %v, want %v", depths, want)
				}
				if got := nesting(r); got != 0 {
					t.Errorf("after it the reader is in %d sections", got)
				}
			})
		}
	}
}

// If this fails, a site with no probe (its key on, its funcs NULL) leaves a
// section open.
func TestD2NoProbes(t *testing.T) {
	r := newReader(t)
	for _, p := range places(t) {
		check(t, p.site.KeyEnable())
		p.site.Fire(r)
		if got := nesting(r); got != 0 {
			t.Errorf("%s: the reader is in %d sections", p.name, got)
		}
		r.Lock()
		p.site.Fire(r)
		if got := nesting(r); got != 1 {
			t.Errorf("%s, nested: the reader is in %d sections, want 1", p.name, got)
		}
		r.Unlock()
		check(t, p.site.KeyDisable())
	}
}

// If this fails, a grace period ends while a probe runs: what the probe uses could
// be freed under it.
func TestD2SynchronizeWaitsForProbe(t *testing.T) {
	for _, v := range impls.OnlySound(rcu.Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			require(t, v.Supported())
			rounds := 20
			if v.Name == "kernelgp" {
				rounds = 1
			}
			for _, p := range places(t)[2:6] { // text, mapped, timed
				t.Run(p.name, func(t *testing.T) { synchronizeWaits(t, v, p, rounds) })
			}
		})
	}
}

// synchronizeWaits holds a reader in a probe while a grace period begins, gives
// that the time of rounds undisturbed ones, and only then lets the probe go.
func synchronizeWaits(t *testing.T, v rcu.Variant, p place, rounds int) {
	d, other := v.New(rcu.Options{}), v.New(rcu.Options{})
	defer d.Close()
	defer other.Close()
	entered, leave := make(chan bool), make(chan bool)
	var left atomic.Bool
	first := true
	funcs, _ := recorders(t, 1, func() {
		if first {
			first = false
			entered <- true
			<-leave
			left.Store(true)
		}
	})
	arm(t, p.site, Dispatch{Direct: true}, funcs)

	readerGone, synchronized := make(chan bool), make(chan bool)
	go func() {
		r := d.Register()
		p.site.Fire(r)
		r.Unregister()
		close(readerGone)
	}()
	<-entered
	go func() {
		d.Synchronize()
		if !left.Load() {
			t.Error("Synchronize returned before the probe")
		}
		close(synchronized)
	}()
	for d.Counters().Started == 0 {
		runtime.Gosched()
	}
	for range rounds {
		other.Synchronize()
	}
	close(leave)
	<-readerGone
	<-synchronized
}

// If this fails, GoFunc lets a closure through whose variables no site can pass.
func TestGoFunc(t *testing.T) {
	captured := 0
	global := nonCapturing
	for _, c := range []struct {
		name string
		f    func(unsafe.Pointer, uint64, uint64)
		ok   bool
	}{
		{"function", record, true},
		{"function in a variable", global, true},
		{"literal", func(unsafe.Pointer, uint64, uint64) {}, true},
		{"closure", func(unsafe.Pointer, uint64, uint64) { captured++ }, false},
		{"method value", new(recorder).probe, false},
		{"nil", nil, false},
	} {
		fn, err := GoFunc(c.f)
		if ok := err == nil; ok != c.ok || ok != (fn != 0) {
			t.Errorf("%s: GoFunc = %#x, %v; want it accepted: %v", c.name, fn, err, c.ok)
		}
	}
	_ = captured
}

var nonCapturing = func(unsafe.Pointer, uint64, uint64) {}

func (*recorder) probe(unsafe.Pointer, uint64, uint64) {}

// If this fails, a floor cannot be measured, or does not do what its name says.
func TestFloors(t *testing.T) {
	require(t, Open())
	r := newReader(t)
	var names []string
	for _, f := range Floors() {
		names = append(names, f.Name)
		for layout := range Layouts {
			loop, err := f.Arm(layout)
			check(t, err)
			loop(r, 3)
			if got := nesting(r); got != 0 {
				t.Errorf("%s, layout %d: the reader is in %d sections", f.Name, layout, got)
			}
		}
	}
	if want := []string{"nothing", "nil-check", "bare-call", "plain-call"}; !slices.Equal(names, want) {
		t.Errorf("floors %v, want %v", names, want)
	}
	for layout := range Layouts { // the plain call is probeNop's, whatever is published
		check(t, machine.plain[layout].KeyDisable())
		if got := machine.plain[layout].spots[0].call.Insn(); got != textpoke.Call(machine.pcs.probeNop) {
			t.Errorf("plain-call, layout %d, does %v", layout, got)
		}
	}
	if nilPoint.funcs != nil {
		t.Error("nilPoint is not nil")
	}
}

// If this fails, rewriting a site makes a thread that passes it miss a probe, call
// it twice, or call it as another event's.
func TestConcurrentFlips(t *testing.T) {
	sites := events(t, TextSites)
	fn := goFunc(t, tallyProbe)
	enable, disable := KeyChanges(sites)
	tallies := make([]tally, TextSites)
	for i, s := range sites {
		tallies[i].event = uint64(i)
		s.Publish(tallyEntries(fn, &tallies[i]))
	}
	t.Cleanup(func() {
		check(t, textpoke.Int3Batch(disable))
		for _, s := range sites {
			check(t, s.StaticCall(machine.pcs.traceiter))
			s.Publish(nil)
		}
	})
	// sweep passes all events until the flips have run, and returns how often.
	sweep := func(t *testing.T, flips func()) (sweeps uint64) {
		v := rcu.Variants()[0]
		require(t, v.Supported())
		d := v.New(rcu.Options{})
		defer d.Close()
		clearCalls(tallies)
		var stop atomic.Bool
		swept := make(chan uint64)
		started := make(chan bool, 1)
		go func() {
			r := d.Register()
			defer r.Unregister()
			n := uint64(0)
			for !stop.Load() {
				Sweep(r, TextSites)
				if n++; n == 1 {
					started <- true
				}
				runtime.Gosched()
			}
			swept <- n
		}()
		<-started
		flips()
		stop.Store(true)
		return <-swept
	}
	verify := func(t *testing.T, ok func(calls uint64) bool) {
		t.Helper()
		for i, got := range tallies {
			if got.alien != 0 || !ok(got.calls) {
				t.Fatalf("event %d: %d calls, %d of them as another event", i, got.calls, got.alien)
			}
		}
	}
	t.Run("static calls", func(t *testing.T) {
		check(t, textpoke.Int3Batch(enable))
		n := sweep(t, func() {
			for range 8 {
				for i := 0; i < TextSites; i += 61 {
					check(t, sites[i].StaticCall(uintptr(fn)))
					check(t, sites[i].StaticCall(machine.pcs.retpoline))
					check(t, sites[i].StaticCall(machine.pcs.traceiter))
				}
			}
		})
		verify(t, func(calls uint64) bool { return calls == n })
	})
	t.Run("keys", func(t *testing.T) {
		n := sweep(t, func() {
			for range 20 {
				check(t, textpoke.Int3Batch(disable))
				check(t, textpoke.Int3Batch(enable))
			}
			for i := 0; i < TextSites; i += 61 {
				check(t, sites[i].KeyDisable())
				check(t, sites[i].KeyEnable())
			}
		})
		verify(t, func(calls uint64) bool { return calls <= n })
	})
}

func BenchmarkFire(b *testing.B) {
	require(b, Open())
	for _, v := range Variants() {
		for _, probes := range []int{0, 1, 2} {
			b.Run(fmt.Sprintf("impl=%s/probes=%d", v.Name, probes), func(b *testing.B) {
				r := newReader(b)
				s := Timed(0)
				funcs := make([]Entry, probes+1)
				for i := range probes {
					funcs[i].Fn = uintptr(Nop())
				}
				if probes > 0 {
					arm(b, s, v.New, funcs)
				}
				b.ResetTimer()
				s.Loop(r, max(1, b.N/Unroll))
			})
		}
	}
}
