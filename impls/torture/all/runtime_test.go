package all_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	for name, debug := range map[string]string{
		"collects all the time":  "",
		"marks twice":            "gccheckmark=1", // the second time with the world stopped, when it must find nothing new
		"clobbers what it frees": "clobberfree=1",
		"does not preempt":       "asyncpreemptoff=1",
	} {
		t.Run(name, func(t *testing.T) { runSetups(t, nil, "GOGC=1", "GODEBUG="+debug) })
	}
}

// If this fails, a program with patched sites crashes when it is profiled or traced; or the
// profile lacks the sites' callers, since the stack cannot be unwound from a site or its probes.
func TestProfiledAndTraced(t *testing.T) {
	dir := t.TempDir()
	profile, trace := filepath.Join(dir, "cpu"), filepath.Join(dir, "trace")
	runSetups(t, []string{"-test.cpuprofile=" + profile, "-test.trace=" + trace})
	t.Run("profile", func(t *testing.T) {
		needStacks(t, "-----------+", "", "pprof", "-traces", profile)
	})
	t.Run("trace", func(t *testing.T) {
		// Only events of goroutines that yield: they are unwound by frame pointers. The trace also
		// holds the profile's samples, which are not.
		needStacks(t, "M=", "StateTransition", "trace", "-d=parsed", trace)
	})
}

// runSetups runs TestSetups in a child process.
func runSetups(t *testing.T, flags []string, env ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("seconds in child processes")
	}
	for _, s := range setups() {
		s.need(t)
	}
	cmd := child(t, "TestSetups", "all", env...)
	cmd.Args = append(cmd.Args, flags...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	judge.Check(t, err)
}

// TestSetups runs every setup.
func TestSetups(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("the body of a process that another test starts")
	}
	for _, s := range setups() {
		t.Run(s.strategy.Name+" with "+s.flavour.Name, s.run)
	}
}

// needStacks runs a tool of the go command that prints stacks. It fails if none has an action, its
// site and the site's caller. A line that begins with mark begins a stack; only stacks with the
// word kind in that line count.
func needStacks(t *testing.T, mark, kind string, tool ...string) {
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
	found := false
	lines := bufio.NewScanner(out) // a trace is 160 MB of text
	for more := true; more; {
		more = lines.Scan()
		if !more || strings.HasPrefix(lines.Text(), mark) {
			found = found || isStack(names, kind)
			names = names[:0]
		}
		names = append(names, strings.Fields(lines.Text())...)
	}
	judge.Check(t, errors.Join(lines.Err(), cmd.Wait()))
	if !found {
		t.Errorf("no stack has a probe, its site and its caller: %v", cmd)
	}
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

// setups are a strategy whose static calls go to probes, with the flavour of torture and with
// one whose readers say when they are quiescent; and one whose calls go through thunks, which
// Go's runtime does not know.
func setups() []setup {
	direct := first(tracepoint.Variants(), func(p *tracepoint.Policy) bool {
		return p.Dispatch.Direct && !p.WaitsInOneToZero()
	})
	bound := first(tracepoint.Variants(), func(p *tracepoint.Policy) bool {
		return p.Dispatch.Bound && !p.WaitsInOneToZero()
	})
	quiescent := first(rcu.Variants(), func(open func(rcu.Options) *rcu.Domain) bool {
		d := open(rcu.Options{})
		defer d.Close()
		return d.NeedsQuiescent()
	})
	return []setup{{direct, torture.Flavour()}, {direct, quiescent}, {bound, torture.Flavour()}}
}

// need skips the test if this machine cannot run the setup.
func (s setup) need(t *testing.T) {
	judge.Need(t, s.flavour.Supported(), "rcu", s.flavour.Name)
	judge.Need(t, s.strategy.Supported(), "tracepoint", s.strategy.Name)
}

// first returns the first sound variant that suits.
func first[T any](variants []impls.Variant[T], suits func(T) bool) impls.Variant[T] {
	sound := impls.OnlySound(variants)
	return sound[slices.IndexFunc(sound, func(v impls.Variant[T]) bool { return suits(v.New) })]
}

// setupTime is how long each runs at least: until all actions have been called. The trace of a
// setup takes five times as long to read.
const setupTime = 400 * time.Millisecond

// A run is one updater and some events, while the collector runs all the time.
type run struct {
	*testing.T
	domain   *rcu.Domain
	registry *tracepoint.Registry
	events   []*event
	seen     atomic.Uint64 // a bit for each action that was called
	over     atomic.Bool
}

// An event is one tracepoint and the goroutine that fires it.
type event struct {
	*run
	tp *tracepoint.Tracepoint

	// Written by the goroutine and its probes.
	calls, panics uint64
	allocated     []byte

	// registered is how many probes there are while transitions is even and does not change.
	// Written by the updater.
	transitions atomic.Uint64
	registered  atomic.Uint64

	on []*datum // of the registered probes; the updater's
}

// A datum is the data of a probe. It is kept reachable only for as long as dispatch.GoFunc
// requires: until a grace period after its probe was unregistered. Then its magic is changed.
type datum struct {
	magic  uint64
	action int
	event  *event
	probe  dispatch.Probe
}

func (what setup) run(t *testing.T) {
	what.need(t) // this also prepares the process
	s := &run{T: t, domain: what.flavour.New(rcu.Options{})}
	s.registry = tracepoint.New(what.strategy.New, s.domain)
	sites, err := dispatch.Events(4)
	judge.Check(t, err)
	for i, site := range sites {
		tp, err := s.registry.Add(fmt.Sprint("event", i), site)
		judge.Check(t, err)
		s.events = append(s.events, &event{run: s, tp: tp})
	}

	var group sync.WaitGroup
	for _, e := range s.events {
		group.Go(e.fire)
	}
	group.Go(func() {
		for !s.over.Load() {
			runtime.GC()
		}
	})
	s.update(judge.Rand(t))
	s.over.Store(true)
	group.Wait()
	s.domain.Close()
	if thunks, calls := dispatch.Thunks(), dispatch.FreedCalls(); thunks > 0 || calls > 0 {
		t.Errorf("T2: %d thunks are left, %d calls out of freed arrays", thunks, calls)
	}
}

func (s *run) fail(format string, args ...any) {
	s.Errorf(format, args...)
	s.over.Store(true)
}

// fire fires the event until the run is over. Its goroutine is not pinned, so that the scheduler
// moves it, also in the middle of a section.
func (e *event) fire() {
	r := e.domain.Register()
	defer r.Unregister() // panics if a section was left open
	for recovered := uint64(0); !e.over.Load(); {
		transitions, registered, calls := e.transitions.Load(), e.registered.Load(), e.calls
		thrown := e.pass(r)
		r.Quiescent()
		switch what := thrown.(type) {
		case nil:
			if made := e.calls - calls; made != registered && transitions%2 == 0 && e.transitions.Load() == transitions {
				e.fail("T3: with %d probes, and no transition under way, %d calls", registered, made)
			}
		case *datum: // the probes after the one that panicked were not called
			recovered++
			if what.event != e {
				e.fail("a probe's panic arrived at another event")
			}
		default:
			e.fail("a probe panicked: %v", what)
		}
		if e.panics != recovered {
			e.fail("%d probes panicked, %d panics were recovered", e.panics, recovered)
		}
	}
}

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

// update makes random transitions between 0 and 3 probes, and removes all probes in the end.
func (s *run) update(rnd *rand.Rand) {
	all := uint64(1<<len(actions) - 1)
	for began := time.Now(); !s.over.Load() && (time.Since(began) < setupTime || s.seen.Load() != all); {
		e := s.events[rnd.IntN(len(s.events))]
		if k := len(e.on); k == 0 || k < 3 && rnd.IntN(2) == 0 {
			d, err := newDatum(e, rnd.IntN(len(actions)), rnd.IntN(3))
			judge.Check(s, err)
			e.transit(s.registry.Register, d, append(e.on, d))
		} else {
			e.remove(rnd.IntN(k))
		}
	}
	for _, e := range s.events {
		for len(e.on) > 0 {
			e.remove(0)
		}
	}
}

// remove unregisters the i-th probe.
func (e *event) remove(i int) {
	d := e.on[i]
	e.transit(e.registry.Unregister, d, slices.Delete(e.on, i, i+1))
	e.domain.Call(func() { d.magic = torture.Poison })
}

// transit registers or unregisters the datum's probe, after which those of on are registered.
func (e *event) transit(change func(*tracepoint.Tracepoint, dispatch.Probe) error, d *datum, on []*datum) {
	e.transitions.Add(1)
	judge.Check(e, change(e.tp, d.probe))
	e.on = on
	e.registered.Store(uint64(len(on)))
	e.transitions.Add(1)
}
