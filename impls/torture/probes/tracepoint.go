package probes

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// attackDispatch attacks a dispatch under the steps of the first sound strategy whose steps suit
// every dispatch: its static call goes to probes, and it does not wait in each removal, which
// would hide a wrong dispatch.
func attackDispatch(a *torture.Attack, d dispatch.Dispatch) error {
	for _, v := range impls.OnlySound(tracepoint.Variants()) {
		if v.New.Dispatch.Direct && !v.New.WaitsInOneToZero() {
			policy := *v.New
			policy.Dispatch = d
			return attackTracepoints(a, &policy)
		}
	}
	return errors.New("no sound strategy with direct calls removes the last probe without a wait")
}

// A tracepoints is some events, the reader of each, and one updater:
//
//	CPU0, updater                        CPU1, reader
//	registers and removes probes,        fires: each call is with the function's own data,
//	  one by one or in bulk                which is in use; the witness is called once;
//	waits, in any way, seldom              with no transition under way, as many calls
//	frees the data: poison                 as probes
type tracepoints struct {
	*firing[*event]
	registry *tracepoint.Registry

	// What the updater has drawn for a while: at most so many probes; and whether the witness
	// stays, so that long firings have one, or may be removed.
	most        int
	keepWitness bool
}

// An event is one tracepoint.
type event struct {
	place
	tp  *tracepoint.Tracepoint
	key *textpoke.Site

	// What the reader counts while it passes. Only it touches these: probes run on
	// its thread.
	calls        uint64 // of any probe
	watched      *datum
	watchedCalls uint64

	// witness is registered as long as epoch does not change; it may be nil. The updater
	// writes witness, then epoch, and only then removes the probe. The reader loads epoch, then
	// witness, fires, and loads epoch again.
	witness atomic.Pointer[datum]
	epoch   atomic.Uint64

	// registered is how many probes there are while transitions is even and does not change: a
	// sequence count, written by the updater.
	transitions atomic.Uint64
	registered  atomic.Uint64
}

const mostProbes = 4

func attackTracepoints(a *torture.Attack, policy *tracepoint.Policy) error {
	f, sites, err := newFiring[*event](a, invariants{owner: "T1", freed: "T2", panic: "D4"})
	if err != nil {
		return err
	}
	defer f.close()
	s := &tracepoints{firing: f, registry: tracepoint.New(policy, f.domain)}
	for i, site := range sites {
		tp, err := s.registry.Add(fmt.Sprint("event", i), site)
		if err != nil {
			return err
		}
		_, disable := dispatch.KeyChanges([]*dispatch.Site{site})
		e := &event{place: place{Attack: a}, tp: tp, key: disable[0].Site}
		e.self = e
		s.places = append(s.places, e)
	}
	err = s.run(func() {
		s.most = min(1+s.rnd.IntN(mostProbes), 1+s.rnd.IntN(mostProbes))
		s.keepWitness = s.rnd.IntN(2) == 0
	}, s.change)
	for _, e := range s.places {
		if len(e.on) > 0 {
			err = errors.Join(err, s.registry.Unregister(e.tp, dispatch.Probe{}))
		}
	}
	return err
}

// called counts a call.
func (e *event) called(d *datum, _ uint64) {
	e.calls++
	if d == e.watched {
		e.watchedCalls++
	}
}

// pass fires the event and compares what was called with what was registered.
func (e *event) pass(r *rcu.Reader) {
	for range passes {
		epoch, witness := e.epoch.Load(), e.witness.Load()
		transitions, registered, calls := e.transitions.Load(), e.registered.Load(), e.calls
		e.watched, e.watchedCalls = witness, 0

		e.tp.Fire(r)

		if witness != nil && e.watchedCalls != 1 && e.epoch.Load() == epoch {
			e.Fail("T3: a probe that was registered all the time was called %d times in a firing; %s", e.watchedCalls, e.lastChanges())
		}
		if got := e.calls - calls; got != registered && transitions%2 == 0 && e.transitions.Load() == transitions {
			e.Fail("T3: with %d probes, and no transition under way, %d calls; %s", registered, got, e.lastChanges())
		}
	}
}

// change makes transitions of the event, and draws a way to wait for readers that may still use
// what was removed.
func (s *tracepoints) change(e *event) error {
	if err := s.transit(e); err != nil {
		return err
	}
	if way := s.rnd.IntN(64); way == 6 {
		state, before := s.domain.GetState(), s.removed
		s.removed = nil
		if err := s.transit(e); err != nil {
			return err
		}
		s.domain.CondSync(state)
		s.free(before)
	} else {
		s.release(way, s.registry.Synchronize)
	}
	if len(e.on) > 0 && s.rnd.IntN(4) == 0 {
		if err := s.addAndRemove(e); err != nil {
			return err
		}
	}
	if s.rnd.IntN(2) == 0 {
		torture.Busy(s.rnd, 100*time.Nanosecond, 50*time.Microsecond)
	}
	return nil
}

// transit makes one random transition of the event, or now and then a bulk change: two of
// the event, or one of each event, in any order, which may remove all probes.
func (s *tracepoints) transit(e *event) error {
	events, toZero := []*event{e}, false
	switch s.rnd.IntN(8) {
	case 0:
		toZero = s.rnd.IntN(2) == 0
		events = slices.Clone(s.places)
		s.rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	case 1:
		events = append(events, e)
	}
	return s.apply(events, func(e *event) (transition, error) { return s.draw(e, toZero) })
}

// addAndRemove takes the event to one probe, then to two, and back to one: it adds a probe
// before the first, waits for a whole grace period and removes it. That grace period satisfies
// whatever moment the strategy remembered when it added the probe. A reader that began after it
// may hold the data of the removed probe.
func (s *tracepoints) addAndRemove(e *event) error {
	remove := func(i int) error {
		return s.apply([]*event{e}, func(e *event) (transition, error) { return s.remove(e, i), nil })
	}
	for len(e.on) > 1 {
		if err := remove(s.other(e, s.rnd.IntN(len(e.on)))); err != nil {
			return err
		}
	}
	add := func(e *event) (transition, error) { return s.add(e, s.rnd.IntN(len(s.fns)), 5) }
	if err := s.apply([]*event{e}, add); err != nil {
		return err
	}
	s.registry.Synchronize()
	torture.Busy(s.rnd, time.Microsecond, 300*time.Microsecond) // the intruder may be there again
	return remove(1)
}

// A transition is one of an event to make, and its name: "+f2#17", "-f2#17" or "-*". Where one is
// returned, the event's registrations are already those after it.
type transition struct {
	tracepoint.Request
	what string
}

// apply makes one transition of each of the events, in one change. An event may be there twice.
func (s *tracepoints) apply(events []*event, draw func(*event) (transition, error)) error {
	what := make(map[*event][]string)
	var requests []tracepoint.Request
	for _, e := range events {
		if what[e] == nil {
			e.transitions.Add(1)
		}
		from := len(e.on)
		next, err := draw(e)
		if err != nil {
			return err
		}
		what[e] = append(what[e], fmt.Sprintf("%d->%d %s", from, len(e.on), next.what))
		requests = append(requests, next.Request)
	}
	if err := s.registry.Bulk(requests); err != nil {
		return err
	}
	s.Changed(len(requests))
	for _, e := range events {
		if what[e] != nil {
			s.done(e, strings.Join(what[e], " and "))
			what[e] = nil
		}
	}
	return nil
}

// draw decides on a transition of the event; toZero removes all probes unless a witness may
// have to stay. A witness that is to be removed is none any more.
func (s *tracepoints) draw(e *event, toZero bool) (transition, error) {
	from := len(e.on)
	switch {
	case toZero && from > 0 && !s.keepWitness:
		return s.removeAll(e), nil
	case from == 0 || from == 1 && s.keepWitness || from < s.most && s.rnd.IntN(2) == 0:
		fn, prio := s.rnd.IntN(len(s.fns)), s.rnd.IntN(4)
		if w := e.witness.Load(); w != nil && s.rnd.IntN(4) > 0 {
			fn, prio = w.owner, 4 // the witness's function, with other data, before it
		}
		return s.add(e, fn, prio)
	case s.rnd.IntN(16) == 0 && !s.keepWitness:
		return s.removeAll(e), nil
	default:
		return s.remove(e, s.other(e, s.rnd.IntN(from))), nil
	}
}

// add is the transition that adds a new probe.
func (s *tracepoints) add(e *event, fn, prio int) (transition, error) {
	r, err := s.newProbe(fn, prio, &e.place)
	if err != nil {
		return transition{}, err
	}
	e.on = append(e.on, r)
	return transition{tracepoint.Request{Tracepoint: e.tp, Probe: r.probe}, fmt.Sprintf("+%v", &r.slot[0])}, nil
}

// other returns the index i of a registration, or another one if that is a witness that stays.
func (s *tracepoints) other(e *event, i int) int {
	if s.keepWitness && e.witness.Load() == &e.on[i].slot[0] {
		return (i + 1) % len(e.on)
	}
	return i
}

// remove is the transition that removes one probe, which is no witness any more.
func (s *tracepoints) remove(e *event, i int) transition {
	r := e.on[i]
	if e.witness.Load() == &r.slot[0] {
		e.watch(nil)
	}
	e.on, s.removed = slices.Delete(e.on, i, i+1), append(s.removed, r)
	return transition{tracepoint.Request{Tracepoint: e.tp, Probe: r.probe, Remove: true}, fmt.Sprintf("-%v", &r.slot[0])}
}

// removeAll is the transition that removes all probes.
func (s *tracepoints) removeAll(e *event) transition {
	e.watch(nil)
	e.on, s.removed = nil, append(s.removed, e.on...)
	return transition{tracepoint.Request{Tracepoint: e.tp, Remove: true}, "-*"}
}

// done publishes that the event's transitions are over, checks the key, and may choose a new
// witness.
func (s *tracepoints) done(e *event, what string) {
	e.registered.Store(uint64(len(e.on)))
	e.transitions.Add(1)
	if off := e.key.Insn() == textpoke.Nop; off != (len(e.on) == 0) {
		s.Fail("T4: with %d probes the key is %v; %s", len(e.on), e.key.Insn(), e.lastChanges())
	}
	e.history.Add(what)
	if len(e.on) > 0 && s.rnd.IntN(2) == 0 && !(s.keepWitness && e.witness.Load() != nil) {
		e.watch(&e.on[s.rnd.IntN(len(e.on))].slot[0])
	}
}

// watch makes d, which is registered, or nil, the witness.
func (e *event) watch(d *datum) {
	e.witness.Store(d)
	e.epoch.Add(1)
}
