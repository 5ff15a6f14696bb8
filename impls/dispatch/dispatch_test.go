package dispatch

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// tallied gives each event in text a probe that counts its calls, until the test ends. It
// returns the patches of all keys.
func tallied(t *testing.T) (sites []*Site, tallies []tally, enable, disable []textpoke.Change) {
	t.Helper()
	sites, tallies = events(t, TextSites), make([]tally, TextSites)
	enable, disable = KeyChanges(sites)
	fn := goFunc(t, tallyProbe)
	for i, s := range sites {
		tallies[i].event = uint64(i)
		s.Publish(tallyEntries(fn, &tallies[i]))
	}
	t.Cleanup(func() {
		judge.Check(t, textpoke.Int3Batch(disable))
		for _, s := range sites {
			judge.Check(t, s.StaticCall(machine.pcs.traceiter))
			s.Publish(nil)
		}
	})
	return sites, tallies, enable, disable
}

// If this fails, a sweep misses events, passes some twice, or runs past the last.
func TestD1Sweep(t *testing.T) {
	r := newReader(t)
	sites, tallies, enable, _ := tallied(t)
	judge.Check(t, textpoke.Int3Batch(enable))
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

// If this fails, a hundred thousand events cannot be made, or some of their sites differ from
// the others.
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

// If this fails, GoFunc accepts a closure, whose variables no site can pass.
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

// If this fails, a floor does not run, or does not do what its name says.
func TestFloors(t *testing.T) {
	judge.Need(t, Open(), "dispatch")
	r := newReader(t)
	var names []string
	for _, f := range Floors() {
		names = append(names, f.Name)
		for layout := range Layouts {
			loop, err := f.Arm(layout)
			judge.Check(t, err)
			loop(r, 3)
			if got := nesting(r); got != 0 {
				t.Errorf("%s, layout %d: the reader is in %d sections", f.Name, layout, got)
			}
		}
	}
	if want := []string{"nothing", "nil-check", "bare-call", "plain-call"}; !slices.Equal(names, want) {
		t.Errorf("floors %v, want %v", names, want)
	}
	for layout := range Layouts { // the plain call goes to probeNop, whatever is published
		judge.Check(t, machine.plain[layout].KeyDisable())
		if got := machine.plain[layout].spots[0].call.Insn(); got != textpoke.Call(machine.pcs.probeNop) {
			t.Errorf("plain-call, layout %d, does %v", layout, got)
		}
	}
	if nilPoint.funcs != nil {
		t.Error("nilPoint is not nil")
	}
}

// If this fails, patching a site makes a thread that passes it miss a probe, call it twice, or
// call it with another event's number.
func TestConcurrentFlips(t *testing.T) {
	sites, tallies, enable, disable := tallied(t)
	// sweep passes all events until the flips have run, and returns how often.
	sweep := func(t *testing.T, flips func()) (sweeps uint64) {
		d := newDomain(t)
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
		judge.Check(t, textpoke.Int3Batch(enable))
		n := sweep(t, func() {
			for range 8 {
				for i := 0; i < TextSites; i += 61 {
					judge.Check(t, sites[i].StaticCall(uintptr(goFunc(t, tallyProbe))))
					judge.Check(t, sites[i].StaticCall(machine.pcs.retpoline))
					judge.Check(t, sites[i].StaticCall(machine.pcs.traceiter))
				}
			}
		})
		verify(t, func(calls uint64) bool { return calls == n })
	})
	t.Run("keys", func(t *testing.T) {
		n := sweep(t, func() {
			for range 20 {
				judge.Check(t, textpoke.Int3Batch(disable))
				judge.Check(t, textpoke.Int3Batch(enable))
			}
			for i := 0; i < TextSites; i += 61 {
				judge.Check(t, sites[i].KeyDisable())
				judge.Check(t, sites[i].KeyEnable())
			}
		})
		verify(t, func(calls uint64) bool { return calls <= n })
	})
}
