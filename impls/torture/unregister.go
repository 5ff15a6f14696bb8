package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/unregister"
)

// unregisterSubjects are the ways to remove probes.
func unregisterSubjects() []Subject {
	var list []Subject
	for _, v := range unregister.Variants() {
		list = append(list, Subject{
			Family: "unregister", Name: v.Name, Doc: v.Doc, Status: v.Status,
			Check:  checkScene(v.Supported),
			attack: func(a *attack) error { return attackRemovals(a, v.New) },
		})
	}
	return list
}

// removals is some Points, the reader of each, and one updater that runs out of memory all
// the time:
//
//	CPU0, updater                        CPU1, reader
//	registers, sometimes                 sure = the probes there are for certain
//	   without memory: ErrNoMem          fires
//	removes, half the time without       each of those, if still there for certain, was
//	   memory; whatever that returns:       called once and in order; none twice
//	waits, by any means, seldom          each call: alive, and its function's
//	frees the data: poison
type removals struct {
	firing[target]
	data *slab.Slab[payload]
	fns  []dispatch.Func

	number  uint64 // of the last registration; the updater's
	crowd   int    // how many probes to come to, for a while; the updater's
	leaving bool   // whether they go again, mostly; the updater's
}

// A target is a Point, always passed by the same reader.
type target struct {
	point *unregister.Point

	// called are the probes that the firing under way has called, by the numbers of
	// their registrations. Only the reader touches it: probes run on its thread.
	called []uint64

	// sure are those that are registered for certain, in the order of calls. The updater
	// takes one out before it lets the probe go, and puts it in when that has come; who
	// is in it before a firing and after was there all the time.
	sure atomic.Pointer[[]uint64]

	on []listed // the updater's

	history history // the last changes
}

// A listed is a probe that is there.
type listed struct {
	probe dispatch.Probe
	datum []payload // its slot
}

// A payload is a probe's data.
type payload struct {
	magic  uint64 // aliveMagic, or whatever else
	owner  int    // the only function that may be called with it
	number uint64 // counts registrations
	target *target
}

// String names a payload by its owner and its number: "g2#17".
func (d *payload) String() string { return fmt.Sprintf("g%d#%d", d.owner, d.number) }

const mostListed = 6

func attackRemovals(a *attack, policy *unregister.Policy) error {
	flavour, err := impls.Find("flavour", rcu.Variants(), Flavour)
	if err != nil {
		return err
	}
	s := &removals{
		firing: firing[target]{
			attack: a, domain: flavour.New(rcu.Options{}), freedCalls: dispatch.FreedCalls(),
			story: (*target).story, panics: "M3", freed: "M1",
		},
		data: slab.New(payload{magic: poisonMagic, owner: -1}),
	}
	s.pass = s.firings
	defer s.domain.Close()
	a.domain.Store(s.domain)
	if s.fns, err = payloadFuncs(); err != nil {
		return err
	}
	sites, err := dispatch.Events(dispatch.TextSites + mappedEvents)
	if err != nil {
		return err
	}
	for _, site := range append(slices.Clone(sites[:textEvents]), sites[dispatch.TextSites:]...) {
		point, err := unregister.New(policy, s.domain, site)
		if err != nil {
			return err
		}
		d := &target{point: point, called: make([]uint64, 0, 4*mostListed)}
		d.sure.Store(new([]uint64))
		s.places = append(s.places, d)
	}
	removing.Store(s)
	defer removing.Store(nil)

	err = s.run(s.update)
	return errors.Join(err, s.leave())
}

// leave takes every probe away, and looks for what was not given back: M5.
func (s *removals) leave() (err error) {
	for _, d := range s.places {
		if e := d.point.Unregister(dispatch.Probe{}); !errors.Is(e, unregister.ErrNotFound) {
			err = errors.Join(err, e)
		}
		for _, t := range d.on {
			s.data.Free(t.datum)
		}
	}
	s.domain.Barrier()
	for _, d := range s.places {
		if arrays, bytes := d.point.Held(); arrays > 0 || bytes > 0 {
			s.fail("M5: without probes, %d arrays of %d bytes are held; %s", arrays, bytes, d.story())
		}
	}
	if n := s.data.InUse(); n > 0 {
		return errors.Join(err, fmt.Errorf("the attack lost %d probes' data", n))
	}
	return err
}

// firings fires the target's Point and compares what was called with what was there.
func (s *removals) firings(d *target, r *rcu.Reader) {
	for range passes {
		before := *d.sure.Load()
		d.called = d.called[:0]

		d.point.Fire(r)

		if what := misses(d.called, before, *d.sure.Load()); what != "" {
			s.fail("M2: a firing called %d, %s; there for certain were %d; %s", d.called, what, before, d.story())
		}
	}
}

// misses says what is wrong with the calls of a firing, if anything is.
func misses(called, before, after []uint64) string {
	for i, t := range called {
		if slices.Contains(called[:i], t) {
			return fmt.Sprintf("%d twice", t)
		}
	}
	rest := called
	for _, t := range before {
		if !slices.Contains(after, t) {
			continue
		}
		at := slices.Index(rest, t)
		if at < 0 {
			return fmt.Sprintf("%d not, or out of order", t)
		}
		rest = rest[at+1:]
	}
	return ""
}

// update draws changes, and ways to wait for readers that may still use what was removed,
// until the attack is over. It waits seldom: waiting makes every variant sound.
func (s *removals) update() error {
	rnd := s.rand(0)
	var removed []listed
	var d *target
	for !s.over() {
		if d == nil || rnd.IntN(16) == 0 {
			d = s.places[rnd.IntN(len(s.places))]
			s.focus.Store(d)
			s.crowd = 2 + rnd.IntN(mostListed-1)
		}
		gone, err := s.change(d, rnd)
		if err != nil {
			return err
		}
		removed = append(removed, gone...)
		switch rnd.IntN(64) {
		case 0:
			d.point.Synchronize()
			s.free(removed)
			removed = nil
		case 1:
			state := s.domain.StartPoll()
			for !s.domain.Poll(state) {
				time.Sleep(50 * time.Microsecond)
			}
			s.free(removed)
			removed = nil
		case 2, 3, 4, 5:
			taken := removed
			removed = nil
			s.domain.Call(func() { s.free(taken) })
		}
		if !s.leaving && rnd.IntN(2) == 0 {
			busy(logUniform(rnd, 100*time.Nanosecond, 50*time.Microsecond))
		}
	}
	s.domain.Call(func() { s.free(removed) })
	return nil
}

// change makes one random change of the target's Point and returns what it removed. Probes
// come one after the other and go one after the other, mostly: removals in a row are what
// is hard.
func (s *removals) change(d *target, rnd *rand.Rand) (gone []listed, err error) {
	from := len(d.on)
	if from >= s.crowd {
		s.leaving = true
	} else if from <= 1 && rnd.IntN(4) > 0 {
		s.leaving = false
	}
	comes := from == 0 || s.leaving == (rnd.IntN(8) == 0) && from < mostListed
	memory := rnd.IntN(2) == 0 || comes && rnd.IntN(2) == 0
	d.point.FailAfter(-1)
	if !memory {
		d.point.FailAfter(0)
	}
	var what string
	switch {
	case comes:
		if what, err = s.register(d, memory, rnd); err != nil {
			return nil, err
		}
	case rnd.IntN(32) == 0:
		gone, d.on = d.on, nil
		what = "-*"
		d.tell()
		s.unregister(d, dispatch.Probe{})
	default:
		i := rnd.IntN(from)
		gone, d.on = []listed{d.on[i]}, slices.Delete(slices.Clone(d.on), i, i+1)
		what = fmt.Sprintf("-%v", &gone[0].datum[0])
		d.tell()
		s.unregister(d, gone[0].probe)
	}
	s.transitions.Add(1)
	what = fmt.Sprintf("%d->%d %s", from, len(d.on), what)
	if !memory {
		what += " without memory"
	}
	d.history.add(what)
	return gone, nil
}

// register adds a probe. Where there is no memory, the Point is to say so.
func (s *removals) register(d *target, memory bool, rnd *rand.Rand) (what string, err error) {
	slot, err := s.data.Alloc()
	if err != nil {
		return "", err
	}
	fn := rnd.IntN(len(s.fns))
	s.number++
	slot[0] = payload{aliveMagic, fn, s.number, d}
	t := listed{payloadProbe(s.fns[fn], &slot[0], rnd.IntN(3)), slot}
	switch err := d.point.Register(t.probe); {
	case errors.Is(err, unregister.ErrExist):
		s.fail("M1: %v: what was removed, freed and used again is still there; %s", err, d.story())
	case memory && err != nil, !memory && !errors.Is(err, unregister.ErrNoMem):
		s.fail("M4: memory %v, and Register returned %v; %s", memory, err, d.story())
	}
	if !memory {
		s.data.Free(slot) // no reader can have seen it
		return "+0", nil
	}
	d.on = append(d.on, t)
	slices.SortStableFunc(d.on, func(a, b listed) int { return b.probe.Prio - a.probe.Prio })
	d.tell()
	return fmt.Sprintf("+%v", &slot[0]), nil
}

// unregister removes as a file's release does, which cannot return an error. That
// the probe is gone all the same is what the reader looks at.
func (s *removals) unregister(d *target, p dispatch.Probe) {
	if err := d.point.Unregister(p); err != nil && !errors.Is(err, unregister.ErrNoMem) {
		s.fail("M4: Unregister returned %v; %s", err, d.story())
	}
}

// tell makes what the updater knows of the target what the reader is sure of.
func (d *target) tell() {
	sure := make([]uint64, len(d.on))
	for i, t := range d.on {
		sure[i] = t.datum[0].number
	}
	d.sure.Store(&sure)
}

// free gives removed data back. No probe may be called with it any more.
func (s *removals) free(removed []listed) {
	for _, t := range removed {
		s.data.Free(t.datum)
	}
}

// story is the target's last changes.
func (d *target) story() string { return "changes until then: " + d.history.String() }

// wrongCall is what a probe calls that should not have been called so.
func (s *removals) wrongCall(fn int, t *payload) {
	switch {
	case t == nil:
		s.fail("M3: g%d was called with the data of an array's end", fn)
	case t.magic == aliveMagic:
		s.fail("M3: g%d was called with %v; %s", fn, t, t.target.story())
	case t.magic == poisonMagic && t.target == nil && t.owner == -1:
		s.fail("M1: g%d was called with data that had been freed", fn)
	default:
		s.fail("M1: g%d was called with the poison of a freed array (%#x)", fn, t.magic)
	}
}
