package all_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// If this fails, Go's runtime and patched sites disturb each other: with its collector or its
// scheduler at an extreme setting, the child dies, or a probe finds wrong data.
func TestRuntimeAtExtremes(t *testing.T) {
	needSetups(t)
	for _, row := range []struct{ name, debug string }{
		{"collects all the time", ""},
		{"marks twice", "gccheckmark=1"}, // the second time with the world stopped, when it must find nothing new
		{"clobbers what it frees", "clobberfree=1"},
		{"does not preempt", "asyncpreemptoff=1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, err := runChild(t, "runtime", "GOGC=1", "GODEBUG="+row.debug)
			t.Log(out)
			judge.Check(t, err)
		})
	}
}

// If this fails, a program with patched sites crashes when it is profiled or traced; or the
// profile lacks the sites' callers, since the stack cannot be unwound from a site or its probes.
func TestProfiledAndTraced(t *testing.T) {
	needSetups(t)
	dir := t.TempDir()
	out, err := runChild(t, "runtime "+dir)
	t.Log(out)
	judge.Check(t, err)
	t.Run("profile", func(t *testing.T) {
		n := stacks(t, "-----------+", "", "pprof", "-traces", filepath.Join(dir, "cpu"))
		t.Logf("%d different stacks with a probe, its site and its caller", n)
	})
	t.Run("trace", func(t *testing.T) {
		// Only events of goroutines that yield: they are unwound by frame pointers. The trace also
		// holds the profile's samples, which are not.
		n := stacks(t, "M=", "StateTransition", "trace", "-d=parsed", filepath.Join(dir, "trace"))
		t.Logf("%d events in a probe, with its site and its caller", n)
	})
}

func needSetups(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("seconds in child processes")
	}
	for _, s := range setups() {
		judge.Need(t, s.flavour.Supported(), "rcu", s.flavour.Name)
		judge.Need(t, s.strategy.Supported(), "tracepoint", s.strategy.Name)
	}
}

// stacks runs a tool of the go command that prints stacks, and returns how many have an action,
// its site and the site's caller. It fails if none has. A line that begins with mark begins a
// stack; only stacks with the word kind in that line count.
func stacks(t *testing.T, mark, kind string, tool ...string) (n int) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool"}, tool...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	judge.Check(t, err)
	judge.Check(t, cmd.Start())
	var names []string
	for lines := bufio.NewScanner(out); ; {
		more := lines.Scan()
		if !more || strings.HasPrefix(lines.Text(), mark) {
			if isStack(names, kind) {
				n++
			}
			names = names[:0]
		}
		if !more {
			judge.Check(t, lines.Err())
			break
		}
		names = append(names, strings.Fields(lines.Text())...)
	}
	judge.Check(t, cmd.Wait())
	if n == 0 {
		t.Errorf("no stack has a probe, its site and its caller: %v", cmd)
	}
	return n
}

// isStack reports whether names, innermost first, have kind, an action, its site and the site's
// caller, in this order. Other names may be in between: the iterator's is.
func isStack(names []string, kind string) bool {
	want := []string{"all_test.act", "dispatch.fire", "dispatch.(*Site).Fire", "all_test.(*event).pass"}
	if kind != "" {
		want = slices.Insert(want, 0, kind)
	}
	for _, name := range names {
		if len(want) > 0 && strings.Contains(name, want[0]) {
			want = want[1:]
		}
	}
	return len(want) == 0
}

// A setup is one strategy with one flavour.
type setup struct {
	strategy tracepoint.Variant
	flavour  rcu.Variant
}

func (s setup) String() string { return s.strategy.Name + " with " + s.flavour.Name }

// setups are a strategy whose static calls go to probes, with the flavour of torture and with
// one whose readers say when they are quiescent; and one whose calls go through thunks, which
// Go's runtime does not know.
func setups() []setup {
	first := func(suits func(dispatch.Dispatch) bool) tracepoint.Variant {
		sound := impls.OnlySound(tracepoint.Variants())
		return sound[slices.IndexFunc(sound, func(v tracepoint.Variant) bool {
			return suits(v.New.Dispatch) && !v.New.WaitsInOneToZero()
		})]
	}
	direct := first(func(d dispatch.Dispatch) bool { return d.Direct })
	bound := first(func(d dispatch.Dispatch) bool { return d.Bound })
	flavours := impls.OnlySound(rcu.Variants())
	quiescent := flavours[slices.IndexFunc(flavours, func(v rcu.Variant) bool {
		d := v.New(rcu.Options{})
		defer d.Close()
		return d.NeedsQuiescent()
	})]
	return []setup{{direct, torture.Flavour()}, {direct, quiescent}, {bound, torture.Flavour()}}
}

// setupTime is how long each runs at least: until all actions have been called. The trace of a
// setup takes five times as long to read.
const setupTime = 400 * time.Millisecond

// runSetups runs in the child.
func runSetups(dir string) error {
	if dir != "" {
		cpu, err := os.Create(filepath.Join(dir, "cpu"))
		if err != nil {
			return err
		}
		defer cpu.Close()
		events, err := os.Create(filepath.Join(dir, "trace"))
		if err != nil {
			return err
		}
		defer events.Close()
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		if err := trace.Start(events); err != nil {
			return err
		}
		defer trace.Stop()
	}
	for _, s := range setups() {
		if err := s.run(); err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
	}
	return nil
}

// A run is one updater and some events, while the collector runs all the time.
type run struct {
	domain   *rcu.Domain
	registry *tracepoint.Registry
	events   []*event

	seen    atomic.Uint64 // a bit for each action that was called
	over    atomic.Bool
	failure atomic.Pointer[string] // the first
}

// An event is one tracepoint and the goroutine that fires it.
type event struct {
	tp *tracepoint.Tracepoint

	// Written by the goroutine and its probes.
	calls     [len(actions)]uint64
	recovered uint64
	allocated []byte

	// registered is how many probes there are while transitions is even and does not change.
	// Written by the updater.
	transitions atomic.Uint64
	registered  atomic.Uint64

	on []dispatch.Probe // the updater's
}

// A datum is the data of a probe. It is kept reachable only for as long as dispatch.GoFunc
// requires: until a grace period after its probe was unregistered. Then its magic is changed.
type datum struct {
	magic  uint64
	action int
	event  *event
}

// A brokenError is what probes panic with that have found something wrong.
type brokenError string

func (e brokenError) Error() string { return string(e) }

func (what setup) run() error {
	// Supported also prepares the process. The parent prepared only itself.
	if err := cmp.Or(what.flavour.Supported(), what.strategy.Supported()); err != nil {
		return err
	}
	s := &run{domain: what.flavour.New(rcu.Options{})}
	s.registry = tracepoint.New(what.strategy.New, s.domain)
	sites, err := dispatch.Events(4)
	if err != nil {
		return err
	}
	for i, site := range sites {
		tp, err := s.registry.Add(fmt.Sprint("event", i), site)
		if err != nil {
			return err
		}
		s.events = append(s.events, &event{tp: tp})
	}

	var group sync.WaitGroup
	for _, e := range s.events {
		group.Go(func() { s.fire(e) })
	}
	group.Go(func() {
		for !s.over.Load() {
			runtime.GC()
		}
	})
	transitions, err := s.update()
	s.over.Store(true)
	group.Wait()
	s.domain.Close()

	var calls [len(actions)]uint64
	var recovered uint64
	for _, e := range s.events {
		for i, n := range e.calls {
			calls[i] += n
		}
		recovered += e.recovered
	}
	fmt.Printf("%v: %d transitions, calls %v, %d panics recovered\n", what, transitions, calls, recovered)
	if n := dispatch.Thunks(); n > 0 {
		s.fail("T2: %d thunks are left", n)
	}
	if n := dispatch.FreedCalls(); n > 0 {
		s.fail("T2: %d calls out of freed arrays", n)
	}
	if f := s.failure.Load(); f != nil {
		err = errors.Join(err, errors.New(*f))
	}
	return err
}

func (s *run) fail(format string, args ...any) {
	f := fmt.Sprintf(format, args...)
	s.failure.CompareAndSwap(nil, &f)
	s.over.Store(true)
}

// fire fires the event until the run is over. Its goroutine is not pinned, so that the scheduler
// moves it, also in the middle of a section.
func (s *run) fire(e *event) {
	r := s.domain.Register()
	defer r.Unregister() // panics if a section was left open
	for !s.over.Load() {
		before, calls := e.transitions.Load(), e.calls
		registered := e.registered.Load()
		thrown := e.pass(r)
		r.Quiescent()

		var made uint64
		for i := range e.calls {
			if n := e.calls[i] - calls[i]; n > 0 {
				made += n
				s.seen.Or(1 << i)
			}
		}
		switch what := thrown.(type) {
		case nil:
			if made != registered && before%2 == 0 && e.transitions.Load() == before {
				s.fail("T3: with %d probes, and no transition under way, %d calls", registered, made)
			}
		case *datum:
			// The probes after the one that panicked are not called.
			if what.event != e || e.calls[what.action]-calls[what.action] != 1 {
				s.fail("a probe's panic arrived at another event")
			}
			e.recovered++
		default:
			s.fail("a probe panicked: %v", what)
		}
		if n := e.calls[panicAction]; n != e.recovered {
			s.fail("%d probes panicked, %d panics were recovered", n, e.recovered)
			return
		}
	}
}

// panicAction is the index of actPanic in actions.
const panicAction = 2

// pass fires the event and returns what a probe has panicked with.
//
//go:noinline
func (e *event) pass(r *rcu.Reader) (thrown any) {
	defer func() {
		if thrown = recover(); thrown != nil {
			r.Unlock() // the panic left the site's section open
		}
	}()
	e.tp.Fire(r)
	return nil
}

// update makes random transitions between 0 and 3 probes and returns how many. It removes all
// probes in the end.
func (s *run) update() (n int, err error) {
	seed := rand.Uint64()
	fmt.Println("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for began := time.Now(); !s.over.Load(); n++ {
		if time.Since(began) > setupTime && s.seen.Load() == 1<<len(actions)-1 {
			break
		}
		e := s.events[rnd.IntN(len(s.events))]
		if k := len(e.on); k == 0 || k < 3 && rnd.IntN(2) == 0 {
			err = s.register(e, &datum{torture.Alive, rnd.IntN(len(actions)), e}, rnd.IntN(3))
		} else {
			err = s.unregister(e, rnd.IntN(k))
		}
		if err != nil {
			return n, err
		}
	}
	for _, e := range s.events {
		for len(e.on) > 0 {
			if err := s.unregister(e, 0); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (s *run) register(e *event, d *datum, prio int) error {
	p, err := probeOf(d, prio)
	if err != nil {
		return err
	}
	e.transitions.Add(1)
	err = s.registry.Register(e.tp, p)
	e.on = append(e.on, p)
	e.registered.Store(uint64(len(e.on)))
	e.transitions.Add(1)
	return err
}

func (s *run) unregister(e *event, i int) error {
	p := e.on[i]
	e.transitions.Add(1)
	err := s.registry.Unregister(e.tp, p)
	e.on = slices.Delete(e.on, i, i+1)
	e.registered.Store(uint64(len(e.on)))
	e.transitions.Add(1)
	s.domain.Call(func() { datumOf(p).magic = torture.Poison })
	return err
}
