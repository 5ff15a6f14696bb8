package probes

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/unregister"
)

// A removals is some Points, the reader of each, and one updater, which often has no memory:
//
//	CPU0, updater                        CPU1, reader
//	registers, sometimes                 before = the probes that are certainly registered
//	   without memory: ErrNoMem          fires
//	removes, half the time without       each of those, if it still is: called once, in
//	   memory; the probe must go           order; none twice
//	   whatever that returns             each call is with the function's own data, in use
//	waits, in any way, seldom
//	frees the data: poison
type removals struct {
	*firing[*point]
	most     int  // how many probes to come to, for a while; the updater's
	removing bool // whether to remove more than to register; the updater's
}

// A point is one Point.
type point struct {
	place
	*unregister.Point

	// calls are the numbers of the probes that the firing under way has called. Only the reader
	// touches it: probes run on its thread.
	calls []uint64

	// certain are the numbers of the probes that are certainly registered, in the order of
	// calls. The updater takes one out before it removes the probe, and puts it in after it has
	// registered it. A probe that is in it before a firing and after was registered all the time.
	certain atomic.Pointer[[]uint64]
}

// mostRegistered is how many probes a Point may have.
const mostRegistered = 6

func attackRemovals(a *torture.Attack, policy *unregister.Policy) error {
	f, sites, err := newFiring[*point](a, invariants{owner: "M3", freed: "M1", panic: "M3"})
	if err != nil {
		return err
	}
	defer f.close()
	s := &removals{firing: f}
	for _, site := range sites {
		made, err := unregister.New(policy, s.domain, site)
		if err != nil {
			return err
		}
		p := &point{place: place{Attack: a}, Point: made, calls: make([]uint64, 0, 4*mostRegistered)}
		p.self = p
		p.certain.Store(new([]uint64))
		s.places = append(s.places, p)
	}
	err = s.run(func() { s.most = 2 + s.rnd.IntN(mostRegistered-1) }, s.change)
	return errors.Join(err, s.removeAll())
}

// removeAll removes every probe, and looks for memory that was not given back (M5).
func (s *removals) removeAll() (err error) {
	for _, p := range s.places {
		if e := p.Unregister(dispatch.Probe{}); !errors.Is(e, unregister.ErrNotFound) {
			err = errors.Join(err, e)
		}
		s.free(p.on)
	}
	s.domain.Barrier()
	for _, p := range s.places {
		if arrays, bytes := p.Held(); arrays > 0 || bytes > 0 {
			s.Fail("M5: without probes, %d arrays of %d bytes are held; %s", arrays, bytes, p.lastChanges())
		}
	}
	if n := s.data.InUse(); n > 0 {
		return errors.Join(err, fmt.Errorf("the attack lost %d probes' data", n))
	}
	return err
}

// called notes a call.
func (p *point) called(_ *datum, number uint64) { p.calls = append(p.calls, number) }

// pass fires the Point and compares what was called with what was registered.
func (p *point) pass(r *rcu.Reader) {
	for range passes {
		before := *p.certain.Load()
		p.calls = p.calls[:0]

		p.Fire(r)

		if what := misses(p.calls, before, *p.certain.Load()); what != "" {
			p.Fail("M2: a firing called %d, %s; certainly registered were %d; %s", p.calls, what, before, p.lastChanges())
		}
	}
}

// misses describes what is wrong with the calls of a firing; "" if nothing is.
func misses(calls, before, after []uint64) string {
	for i, n := range calls {
		if slices.Contains(calls[:i], n) {
			return fmt.Sprintf("%d twice", n)
		}
	}
	rest := calls
	for _, n := range before {
		if !slices.Contains(after, n) {
			continue
		}
		at := slices.Index(rest, n)
		if at < 0 {
			return fmt.Sprintf("%d not, or out of order", n)
		}
		rest = rest[at+1:]
	}
	return ""
}

// change makes one random change of the Point, and draws a way to wait for readers that may
// still use what was removed. Mostly it registers several probes in a row and then removes
// several in a row, which is the harder case.
func (s *removals) change(p *point) error {
	from := len(p.on)
	if from >= s.most {
		s.removing = true
	} else if from <= 1 && s.rnd.IntN(4) > 0 {
		s.removing = false
	}
	registers := from == 0 || s.removing == (s.rnd.IntN(8) == 0) && from < mostRegistered
	memory := s.rnd.IntN(2) == 0 || registers && s.rnd.IntN(2) == 0
	p.FailAfter(-1)
	if !memory {
		p.FailAfter(0)
	}
	var what string
	switch {
	case registers:
		var err error
		if what, err = s.register(p, memory); err != nil {
			return err
		}
	case s.rnd.IntN(32) == 0:
		what = "-*"
		s.removed, p.on = append(s.removed, p.on...), nil
		s.unregister(p, dispatch.Probe{})
	default:
		i := s.rnd.IntN(from)
		r := p.on[i]
		what = fmt.Sprintf("-%v", &r.slot[0])
		s.removed, p.on = append(s.removed, r), slices.Delete(p.on, i, i+1)
		s.unregister(p, r.probe)
	}
	s.Changed(1)
	what = fmt.Sprintf("%d->%d %s", from, len(p.on), what)
	if !memory {
		what += " without memory"
	}
	p.history.Add(what)
	s.release(s.rnd.IntN(64), p.Synchronize)
	if !s.removing && s.rnd.IntN(2) == 0 {
		torture.Busy(s.rnd, 100*time.Nanosecond, 50*time.Microsecond)
	}
	return nil
}

// register adds a probe. Without memory, Register must return an error.
func (s *removals) register(p *point, memory bool) (what string, err error) {
	r, err := s.newProbe(s.rnd.IntN(len(s.fns)), s.rnd.IntN(3), &p.place)
	if err != nil {
		return "", err
	}
	switch err := p.Register(r.probe); {
	case errors.Is(err, unregister.ErrExist):
		s.Fail("M1: %v: what was removed, freed and used again is still registered; %s", err, p.lastChanges())
	case memory && err != nil, !memory && !errors.Is(err, unregister.ErrNoMem):
		s.Fail("M4: memory %v, and Register returned %v; %s", memory, err, p.lastChanges())
	}
	if !memory {
		s.data.Free(r.slot) // no reader can have seen it
		return "+0", nil
	}
	p.on = append(p.on, r)
	slices.SortStableFunc(p.on, func(a, b registration) int { return b.probe.Prio - a.probe.Prio })
	p.publish()
	return fmt.Sprintf("+%v", &r.slot[0]), nil
}

// unregister removes what is not in p.on any more, as the release of a file does, which cannot
// return an error. The reader checks that the probe is not called any more, whatever the error.
func (s *removals) unregister(p *point, probe dispatch.Probe) {
	p.publish()
	if err := p.Unregister(probe); err != nil && !errors.Is(err, unregister.ErrNoMem) {
		s.Fail("M4: Unregister returned %v; %s", err, p.lastChanges())
	}
}

// publish makes what the updater has registered what the reader takes for certain.
func (p *point) publish() {
	certain := make([]uint64, len(p.on))
	for i, r := range p.on {
		certain[i] = r.slot[0].number
	}
	p.certain.Store(&certain)
}
