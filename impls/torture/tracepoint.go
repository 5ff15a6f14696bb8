package torture

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// tracepointSubjects are the strategies.
func tracepointSubjects() []Subject {
	var list []Subject
	for _, v := range tracepoint.Variants() {
		list = append(list, Subject{
			Family: "tracepoint", Name: v.Name, Doc: v.Doc, Status: v.Status,
			Check:  checkScene(v.Supported),
			attack: func(a *attack) error { return attackTracepoints(a, v.New) },
		})
	}
	return list
}

// dispatchSubjects are the ways to dispatch, under the steps of rcu-cond-sync.
func dispatchSubjects() []Subject {
	steps, err := impls.Find("strategy", tracepoint.Variants(), "rcu-cond-sync")
	if err != nil {
		panic(err)
	}
	var list []Subject
	for _, v := range dispatch.Variants() {
		policy := *steps.New
		policy.Dispatch = v.New
		list = append(list, Subject{
			Family: "dispatch", Name: v.Name, Doc: v.Doc, Status: v.Status,
			Check:  checkScene(v.Supported),
			attack: func(a *attack) error { return attackTracepoints(a, &policy) },
		})
	}
	return list
}

// Flavour is the one that strategies are tortured with: its grace periods are the
// shortest: a strategy that misses a wait is not saved by waiting for something else.
const Flavour = "memb"

func checkScene(supported func() error) func() error {
	return func() error {
		v, err := impls.Find("flavour", rcu.Variants(), Flavour)
		return cmp.Or(err, supported(), v.Supported())
	}
}

// A scene is some tracepoints, the reader of each, and one updater.
type scene struct {
	firing[event]
	registry *tracepoint.Registry
	data     *slab.Slab[datum]
	fns      []dispatch.Func

	generation uint64 // of the last registration; the updater's

	// What the updater has drawn for a while: no more probes than crowd; and
	// whether the witness stays, so that long firings have one, or may leave.
	crowd int
	keeps bool
}

// An event is one tracepoint, always passed by the same reader.
type event struct {
	tp  *tracepoint.Tracepoint
	key *textpoke.Site

	// What the reader counts while it passes. Only it touches these: probes run on
	// its thread.
	calls        uint64 // of any probe
	watched      *datum
	watchedCalls uint64

	// witness is a probe that is registered all the time for which epoch stands
	// still; or nil. The updater writes witness, then epoch, and only then lets the
	// probe go; the reader loads epoch, then witness, fires, and loads epoch again.
	witness atomic.Pointer[datum]
	epoch   atomic.Uint64

	// registered is how many probes there are while transitions is even and
	// stands still: a sequence count, written by the updater.
	transitions atomic.Uint64
	registered  atomic.Uint64

	history history // the last transitions

	on []registration // the updater's
}

// A registration is a probe that is there.
type registration struct {
	probe dispatch.Probe
	datum []datum // its slot
}

// A datum is a probe's data.
type datum struct {
	magic      uint64 // aliveMagic, or whatever else
	owner      int    // the only function that may be called with it
	generation uint64 // counts registrations
	event      *event
}

const (
	mostProbes = 4
	textEvents = 3 // events with their site in text
)

func attackTracepoints(a *attack, policy *tracepoint.Policy) error {
	flavour, err := impls.Find("flavour", rcu.Variants(), Flavour)
	if err != nil {
		return err
	}
	s := &scene{
		firing: firing[event]{
			attack: a, domain: flavour.New(rcu.Options{}), freedCalls: dispatch.FreedCalls(),
			story: (*event).story, panics: "D4", freed: "T2",
		},
		data: slab.New(datum{magic: poisonMagic, owner: -1}),
	}
	s.pass = s.firings
	defer s.domain.Close()
	a.domain.Store(s.domain)
	s.registry = tracepoint.New(policy, s.domain)
	if s.fns, err = probeFuncs(); err != nil {
		return err
	}
	sites, err := dispatch.Events(dispatch.TextSites + mappedEvents)
	if err != nil {
		return err
	}
	for i, site := range append(slices.Clone(sites[:textEvents]), sites[dispatch.TextSites:]...) {
		tp, err := s.registry.Add(fmt.Sprint("event", i), site)
		if err != nil {
			return err
		}
		_, disable := dispatch.KeyChanges([]*dispatch.Site{site})
		s.places = append(s.places, &event{tp: tp, key: disable[0].Site})
	}
	reported.Store(s)
	defer reported.Store(nil)

	err = s.run(s.update)
	for _, e := range s.places {
		if len(e.on) > 0 {
			err = errors.Join(err, s.registry.Unregister(e.tp, dispatch.Probe{}))
		}
	}
	return err
}

// firings fires the event and compares what was called with what was registered.
func (s *scene) firings(e *event, r *rcu.Reader) {
	for range passes {
		epoch, witness := e.epoch.Load(), e.witness.Load()
		transitions, registered, calls := e.transitions.Load(), e.registered.Load(), e.calls
		e.watched, e.watchedCalls = witness, 0

		e.tp.Fire(r)

		if witness != nil && e.watchedCalls != 1 && e.epoch.Load() == epoch {
			s.fail("T3: a probe that was registered all the time was called %d times in a firing; %s", e.watchedCalls, e.story())
		}
		if got := e.calls - calls; got != registered && transitions%2 == 0 && e.transitions.Load() == transitions {
			s.fail("T3: with %d probes, and no transition under way, %d calls; %s", registered, got, e.story())
		}
	}
}

// update draws transitions, and ways to wait for readers that may still use what was
// removed, until the attack is over. It waits seldom: waiting makes every strategy
// sound.
func (s *scene) update() error {
	rnd := s.rand(0)
	var removed []registration
	var e *event
	for !s.over() {
		if e == nil || rnd.IntN(16) == 0 {
			e = s.places[rnd.IntN(len(s.places))]
			s.focus.Store(e)
			s.crowd = min(1+rnd.IntN(mostProbes), 1+rnd.IntN(mostProbes))
			s.keeps = rnd.IntN(2) == 0
		}
		gone, err := s.transit(e, rnd)
		if err != nil {
			return err
		}
		removed = append(removed, gone...)
		switch rnd.IntN(64) {
		case 0:
			s.registry.Synchronize()
			s.free(removed)
			removed = nil
		case 1:
			state, taken := s.domain.GetState(), removed
			removed = nil
			if gone, err = s.transit(e, rnd); err != nil {
				return err
			}
			removed = gone
			s.domain.CondSync(state)
			s.free(taken)
		case 2:
			state := s.domain.StartPoll()
			for !s.domain.Poll(state) {
				time.Sleep(50 * time.Microsecond)
			}
			s.free(removed)
			removed = nil
		case 3, 4, 5, 6:
			taken := removed
			removed = nil
			s.domain.Call(func() { s.free(taken) })
		}
		if rnd.IntN(2) == 0 {
			busy(logUniform(rnd, 100*time.Nanosecond, 50*time.Microsecond))
		}
	}
	s.domain.Call(func() { s.free(removed) })
	return nil
}

// transit makes one random transition of the event, or now and then a bulk change: two of
// the event, or one of each event, in any order, which may be that all probes leave. It
// returns what was removed.
func (s *scene) transit(e *event, rnd *rand.Rand) (gone []registration, err error) {
	events, leave := []*event{e}, false
	switch rnd.IntN(8) {
	case 0:
		leave = rnd.IntN(2) == 0
		events = slices.Clone(s.places)
		rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	case 1:
		events = append(events, e)
	}
	what := make(map[*event][]string)
	var requests []tracepoint.Request
	for _, e := range events {
		d, err := s.draw(e, leave, rnd)
		if err != nil {
			return nil, err
		}
		if what[e] == nil {
			e.transitions.Add(1)
		}
		what[e] = append(what[e], fmt.Sprintf("%d->%d %s", len(e.on), len(d.on), d.what))
		e.on = d.on
		requests = append(requests, d.Request)
		gone = append(gone, d.gone...)
	}
	if err := s.registry.Bulk(requests); err != nil {
		return nil, err
	}
	s.attack.transitions.Add(uint64(len(requests)))
	for _, e := range events {
		if what[e] != nil {
			s.done(e, strings.Join(what[e], " and "), rnd)
			what[e] = nil
		}
	}
	return gone, nil
}

// A turn is one transition to make.
type turn struct {
	tracepoint.Request
	on   []registration // what will be registered
	gone []registration // what will not be any more
	what string         // for the story
}

// draw decides on a transition of the event, to no probes if it may and is to leave. A
// witness that is to go is none any more.
func (s *scene) draw(e *event, leave bool, rnd *rand.Rand) (turn, error) {
	from := len(e.on)
	all := func() (turn, error) {
		e.watch(nil)
		return turn{Request: tracepoint.Request{Tracepoint: e.tp, Remove: true}, gone: e.on, what: "-*"}, nil
	}
	switch {
	case leave && from > 0 && !s.keeps:
		return all()
	case from == 0 || from == 1 && s.keeps || from < s.crowd && rnd.IntN(2) == 0:
		slot, err := s.data.Alloc()
		if err != nil {
			return turn{}, err
		}
		fn, prio := rnd.IntN(len(s.fns)), rnd.IntN(4)
		if w := e.witness.Load(); w != nil && rnd.IntN(4) > 0 {
			fn, prio = w.owner, 4 // the witness's function, with other data, before it
		}
		s.generation++
		slot[0] = datum{aliveMagic, fn, s.generation, e}
		p := probeOf(s.fns[fn], &slot[0], prio)
		return turn{
			Request: tracepoint.Request{Tracepoint: e.tp, Probe: p},
			on:      append(slices.Clone(e.on), registration{p, slot}),
			what:    fmt.Sprintf("+%v", &slot[0]),
		}, nil
	case rnd.IntN(16) == 0 && !s.keeps:
		return all()
	default:
		i := rnd.IntN(from)
		if e.witness.Load() == &e.on[i].datum[0] {
			if s.keeps {
				i = (i + 1) % from
			} else {
				e.watch(nil)
			}
		}
		r := e.on[i]
		return turn{
			Request: tracepoint.Request{Tracepoint: e.tp, Probe: r.probe, Remove: true},
			on:      slices.Delete(slices.Clone(e.on), i, i+1),
			gone:    []registration{r},
			what:    fmt.Sprintf("-%v", &r.datum[0]),
		}, nil
	}
}

// done tells the readers that the event's transitions are over, and checks what they left
// behind.
func (s *scene) done(e *event, what string, rnd *rand.Rand) {
	e.registered.Store(uint64(len(e.on)))
	e.transitions.Add(1)
	if off := e.key.Insn() == textpoke.Nop; off != (len(e.on) == 0) {
		s.fail("T4: with %d probes the key is %v; %s", len(e.on), e.key.Insn(), e.story())
	}
	e.history.add(what)
	if len(e.on) > 0 && rnd.IntN(2) == 0 && !(s.keeps && e.witness.Load() != nil) {
		e.watch(&e.on[rnd.IntN(len(e.on))].datum[0])
	}
}

// watch makes d, which is registered, or nil, the witness.
func (e *event) watch(d *datum) {
	e.witness.Store(d)
	e.epoch.Add(1)
}

// free gives removed data back. No probe may be called with it any more.
func (s *scene) free(removed []registration) {
	for _, r := range removed {
		s.data.Free(r.datum)
	}
}

// String names a datum by its owner and its generation: "f2#17".
func (d *datum) String() string { return fmt.Sprintf("f%d#%d", d.owner, d.generation) }

// story is the event's last transitions.
func (e *event) story() string { return "transitions until then: " + e.history.String() }

// wrong is what a probe calls that should not have been called so.
func (s *scene) wrong(fn int, d *datum) {
	switch {
	case d.magic == aliveMagic:
		s.fail("T1: f%d was called with %v; %s", fn, d, d.event.story())
	case d.magic == poisonMagic && d.event == nil && d.owner == -1:
		s.fail("T2: f%d was called with data that had been freed", fn)
	default:
		s.fail("T2: f%d was called with the poison of a freed array (%#x)", fn, d.magic)
	}
}
