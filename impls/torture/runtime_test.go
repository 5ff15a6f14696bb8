package torture

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
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// If this fails, the runtime and the patching of text are not as independent as the
// suite assumes: the collector or the scheduler, pushed to their extremes, lose what a
// patched site holds, or a site loses what they expect of its frames. The child dies,
// or a probe finds what it should not.
func TestHostileRuntime(t *testing.T) {
	needShow(t)
	for _, row := range []struct{ name, debug string }{
		{"collects all the time", ""},
		{"marks twice", "gccheckmark=1"}, // the second time with the world stopped: nothing may be new
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

// If this fails, a program with patched sites crashes when it is profiled or traced; or
// the profile does not have the sites' callers, since a signal that arrives in a site, or in what
// it calls, cannot unwind it.
func TestProfiledAndTraced(t *testing.T) {
	needShow(t)
	dir := t.TempDir()
	out, err := runChild(t, "runtime "+dir)
	t.Log(out)
	judge.Check(t, err)
	t.Run("profile", func(t *testing.T) {
		n := stacks(t, "-----------+", "", "pprof", "-traces", filepath.Join(dir, "cpu"))
		t.Logf("%d different stacks with a probe, its site and who fired it", n)
	})
	t.Run("trace", func(t *testing.T) {
		// Not the samples that the profile leaves there too: a goroutine that yields is
		// unwound by frame pointers, a sample is not.
		n := stacks(t, "M=", "StateTransition", "trace", "-d=parsed", filepath.Join(dir, "trace"))
		t.Logf("%d events in a probe, with its site and who fired it", n)
	})
}

func needShow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("seconds in child processes")
	}
	for _, v := range rcu.Variants() {
		if slices.ContainsFunc(shows, func(s showing) bool { return s.flavour == v.Name }) {
			judge.Need(t, v.Supported(), "rcu", v.Name)
		}
	}
	judge.Need(t, dispatch.Open(), "dispatch")
}

// stacks lets a tool of the go command, which may have to build it, print stacks, and
// returns how many have an act, its site and who fired it: some. Each begins with a
// line that begins with mark; only those count that have the word kind in it.
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
		t.Errorf("no stack has a probe, its site and who fired it: %v", cmd)
	}
	return n
}

// isStack reports whether names, innermost first, have kind, an act, its site and who fired
// it, in this order. Others may stand between them: the iterator does.
func isStack(names []string, kind string) bool {
	want := []string{"torture.act", "dispatch.fire", "dispatch.(*Site).Fire", "torture.(*stage).pass"}
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

// A showing is one strategy with one flavour.
type showing struct{ strategy, flavour string }

// shows are with the barrier in the updater and with none, and with calls through thunks,
// of which the runtime knows nothing.
var shows = []showing{{"rcu-cond-sync", "memb"}, {"rcu-cond-sync", "qsbr"}, {"bound", "memb"}}

// showTime is how long each lasts, or longer, until all acts have been seen. The trace
// of a show takes five times as long to read.
const showTime = 400 * time.Millisecond

// showAll runs in the child.
func showAll(dir string) error {
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
	for _, s := range shows {
		if err := showOne(s); err != nil {
			return fmt.Errorf("%+v: %w", s, err)
		}
	}
	return nil
}

// A show is one updater and some stages, and the runtime as the enemy.
type show struct {
	domain   *rcu.Domain
	registry *tracepoint.Registry
	stages   []*stage

	seen    atomic.Uint64 // a bit for each act that has been
	over    atomic.Bool
	failure atomic.Pointer[string] // the first
}

// A stage is one event and the goroutine that fires it.
type stage struct {
	tp *tracepoint.Tracepoint

	// The goroutine's own, and so its probes'.
	calls     [len(acts)]uint64
	recovered uint64
	junk      []byte

	// registered is how many probes there are while transitions is even and
	// stands still. Written by the updater.
	transitions atomic.Uint64
	registered  atomic.Uint64

	on []dispatch.Probe // the updater's
}

// An actor is the data of a probe. Nothing keeps it reachable for longer than
// dispatch.GoFunc asks for: until a grace period after its probe was unregistered,
// which also ends its magic.
type actor struct {
	magic uint64
	act   int
	stage *stage
}

// A brokenError is what probes panic with that have found something wrong.
type brokenError string

func (e brokenError) Error() string { return string(e) }

func showOne(what showing) error {
	flavour, err := impls.Find("flavour", rcu.Variants(), what.flavour)
	if err != nil {
		return err
	}
	strategy, err := impls.Find("strategy", tracepoint.Variants(), what.strategy)
	if err != nil {
		return err
	}
	// Supported also makes the process ready, which the parent did for itself only.
	if err := cmp.Or(flavour.Supported(), dispatch.Open()); err != nil {
		return err
	}
	s := &show{domain: flavour.New(rcu.Options{})}
	s.registry = tracepoint.New(strategy.New, s.domain)
	sites, err := dispatch.Events(4)
	if err != nil {
		return err
	}
	for i, site := range sites {
		tp, err := s.registry.Add(fmt.Sprint("stage", i), site)
		if err != nil {
			return err
		}
		s.stages = append(s.stages, &stage{tp: tp})
	}

	var group sync.WaitGroup
	for _, st := range s.stages {
		group.Go(func() { s.play(st) })
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

	var calls [len(acts)]uint64
	var recovered uint64
	for _, st := range s.stages {
		for act, n := range st.calls {
			calls[act] += n
		}
		recovered += st.recovered
	}
	fmt.Printf("%+v: %d transitions, calls %v, %d panics recovered\n", what, transitions, calls, recovered)
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

func (s *show) fail(format string, args ...any) {
	f := fmt.Sprintf(format, args...)
	s.failure.CompareAndSwap(nil, &f)
	s.over.Store(true)
}

// play fires the stage until the show is over. Its goroutine is not pinned: the scheduler
// is to move it, also in the middle of a section.
func (s *show) play(st *stage) {
	r := s.domain.Register()
	defer r.Unregister() // panics if a section was left open
	for !s.over.Load() {
		before, calls := st.transitions.Load(), st.calls
		registered := st.registered.Load()
		thrown := st.pass(r)
		r.Quiescent()

		var made uint64
		for act := range st.calls {
			if n := st.calls[act] - calls[act]; n > 0 {
				made += n
				s.seen.Or(1 << act)
			}
		}
		switch what := thrown.(type) {
		case nil:
			if made != registered && before%2 == 0 && st.transitions.Load() == before {
				s.fail("T3: with %d probes, and no transition under way, %d calls", registered, made)
			}
		case *actor:
			// The probes after the one that panicked are not called.
			if what.stage != st || st.calls[what.act]-calls[what.act] != 1 {
				s.fail("a probe's panic arrived elsewhere")
			}
			st.recovered++
		default:
			s.fail("a probe panicked: %v", what)
		}
		if n := st.calls[panicAct]; n != st.recovered {
			s.fail("%d probes panicked, %d panics were recovered", n, st.recovered)
			return
		}
	}
}

// panicAct is the index of actPanic.
const panicAct = 2

// pass fires the stage's event and returns what a probe has panicked with.
//
//go:noinline
func (st *stage) pass(r *rcu.Reader) (thrown any) {
	defer func() {
		if thrown = recover(); thrown != nil {
			r.Unlock() // the panic left the site's section open
		}
	}()
	st.tp.Fire(r)
	return nil
}

// update goes through all transitions between 0 and 3 probes, at random, and returns
// how many they were. In the end no probe is left.
func (s *show) update() (n int, err error) {
	seed := rand.Uint64()
	fmt.Println("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for began := time.Now(); !s.over.Load(); n++ {
		if time.Since(began) > showTime && s.seen.Load() == 1<<len(acts)-1 {
			break
		}
		st := s.stages[rnd.IntN(len(s.stages))]
		if k := len(st.on); k == 0 || k < 3 && rnd.IntN(2) == 0 {
			err = s.register(st, &actor{aliveMagic, rnd.IntN(len(acts)), st}, rnd.IntN(3))
		} else {
			err = s.unregister(st, rnd.IntN(k))
		}
		if err != nil {
			return n, err
		}
	}
	for _, st := range s.stages {
		for len(st.on) > 0 {
			if err := s.unregister(st, 0); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (s *show) register(st *stage, a *actor, prio int) error {
	p, err := probeOfActor(a, prio)
	if err != nil {
		return err
	}
	st.transitions.Add(1)
	err = s.registry.Register(st.tp, p)
	st.on = append(st.on, p)
	st.registered.Store(uint64(len(st.on)))
	st.transitions.Add(1)
	return err
}

func (s *show) unregister(st *stage, i int) error {
	p := st.on[i]
	st.transitions.Add(1)
	err := s.registry.Unregister(st.tp, p)
	st.on = slices.Delete(st.on, i, i+1)
	st.registered.Store(uint64(len(st.on)))
	st.transitions.Add(1)
	s.domain.Call(func() { actorOf(p).magic = poisonMagic })
	return err
}
