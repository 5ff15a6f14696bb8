// Package probes attacks the families whose readers pass sites: dispatch, tracepoint and
// unregister. In all three a reader fires a place, an event or a Point, while an updater
// registers and removes its probes. firing.go has what they share: the readers, the probe
// functions, their data and how it is freed. tracepoint.go attacks a strategy, and a dispatch
// under a strategy's steps; unregister.go attacks a way to remove probes when memory fails.
//
//   - A probe is a function and its data. Four functions, f0 to f3, differ in the data that they
//     own: one that is called with another's data reports it.
//   - A [datum] is a probe's data. Its number counts registrations: "f2#17" is the 17th, of f2.
//     It is freed, and poisoned, when the updater has waited for readers that may use it.
//   - A registration is a probe that is registered, and its datum.
//   - A witness is a probe that stays registered while others come and go. Every firing must
//     call it once.
//
// The other words are those of package torture.
package probes

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/tracepoint"
	"github.com/tpbench/tpbench/impls/unregister"
)

// Subjects lists the dispatches, under the steps of one strategy, the strategies and the ways to
// remove probes.
func Subjects() []torture.Subject {
	list := slices.Concat(
		torture.Subjects("dispatch", dispatch.Variants(), attackDispatch),
		torture.Subjects("tracepoint", tracepoint.Variants(), attackTracepoints),
		torture.Subjects("unregister", unregister.Variants(), attackRemovals))
	for i, s := range list {
		list[i].Check = func() error { return cmp.Or(s.Check(), torture.Flavour().Supported()) }
	}
	return list
}

// A firing is what the attacks share: places, the reader of each, and one updater. P is
// *event or *point.
type firing[P passed] struct {
	*torture.Attack
	broken invariants
	domain *rcu.Domain
	data   *slab.Slab[datum]
	fns    []dispatch.Func
	places []P

	// focus is the index of the place that the updater changes at present. Its reader passes
	// it more often than others. Written by the updater.
	focus atomic.Int32

	// The updater's.
	rnd     *rand.Rand
	number  uint64         // of the last registration
	removed []registration // whose data is not freed yet

	freedCalls uint64 // dispatch.FreedCalls before the attack
}

// A passed is a place, as its reader and its probes see it.
type passed interface {
	pass(r *rcu.Reader)             // fires it a few times, and judges
	called(d *datum, number uint64) // notes a call with the place's data, which had that number; on the reader's thread
	lastChanges() string
}

// invariants are the names of those that any family of this package may break.
type invariants struct {
	owner string // a function is called only with its own data
	freed string // no probe is called with freed data, or out of a freed array
	panic string // a site does not panic
}

// A place is what *event and *point have in common.
type place struct {
	*torture.Attack
	self    passed         // the *event or *point
	on      []registration // in the order of calls; the updater's
	history torture.History
}

// lastChanges is the end of a failure's text.
func (p *place) lastChanges() string { return "changes until then: " + p.history.String() }

// A registration is a probe that is registered.
type registration struct {
	probe dispatch.Probe
	slot  []datum // its datum is the first
}

// A datum is a probe's data. Every field is one word, which changes when the datum is freed: so a
// probe that runs meanwhile finds each either whole or freed.
type datum struct {
	magic  uint64 // torture.Alive while it is in use
	owner  int    // the only function that may be called with it
	number uint64 // counts registrations, from 1
	place  *place
}

// freed is what a freed datum holds.
var freed = datum{magic: torture.Poison, owner: -1}

// inUse reports whether no word of d is a freed datum's.
func (d *datum) inUse() bool {
	return d.magic == torture.Alive && d.owner != freed.owner && d.number != freed.number && d.place != freed.place
}

// String names a datum by its owner and its number: "f2#17".
func (d *datum) String() string { return fmt.Sprintf("f%d#%d", d.owner, d.number) }

const (
	passes     = 16 // how often a place is fired in one call of pass
	textEvents = 3  // sites in text; mappedEvents more are in mapped memory
)

// newFiring returns a firing without places, and the sites for them. The caller closes it.
func newFiring[P passed](a *torture.Attack, broken invariants) (*firing[P], []*dispatch.Site, error) {
	sites, err := dispatch.Events(dispatch.TextSites + mappedEvents)
	if err != nil {
		return nil, nil, err
	}
	fns, err := probeFuncs()
	if err != nil {
		return nil, nil, err
	}
	f := &firing[P]{
		Attack: a, broken: broken, fns: fns, rnd: a.Rand(0), freedCalls: dispatch.FreedCalls(),
		domain: torture.Flavour().New(rcu.Options{}),
		data:   slab.New(freed),
	}
	a.CountGracePeriods(f.domain)
	report := f.wrongCall
	reportWrong.Store(&report)
	return f, append(slices.Clone(sites[:textEvents]), sites[dispatch.TextSites:]...), nil
}

func (f *firing[P]) close() {
	f.domain.Close()
	reportWrong.Store(nil)
}

// run runs the updater and the readers. The updater changes one place for a while, and then
// another, for which it calls choose first.
func (f *firing[P]) run(choose func(), change func(P) error) error {
	readers := min(f.Readers(), len(f.places))
	threads := []torture.Thread{{CPU: 0, Run: func() error {
		for fresh := true; !f.Over(); fresh = f.rnd.IntN(16) == 0 {
			if fresh {
				f.focus.Store(f.rnd.Int32N(int32(len(f.places))))
				choose()
			}
			if err := change(f.places[f.focus.Load()]); err != nil {
				return err
			}
		}
		f.freeLater(f.removed)
		return nil
	}}}
	for i := range readers {
		read := func() error { return f.read(i, readers) }
		threads = append(threads, torture.Thread{CPU: 1 + i, Run: read, Interrupted: true})
	}
	return f.Launch(threads...)
}

// read passes the places that are reader n's until the attack is over.
func (f *firing[P]) read(n, readers int) error {
	r := f.domain.Register()
	defer r.Unregister()
	defer func() {
		if p := recover(); p != nil {
			r.Unlock() // the panic left the site's section open
			f.Fail("%s: a site panicked: %v; %s", f.broken.panic, p, f.places[n].lastChanges())
		}
	}()
	var own []int
	for i := n; i < len(f.places); i += readers {
		own = append(own, i)
	}
	rnd := f.Rand(1 + n)
	for !f.Over() {
		const batch = 64
		for range batch {
			at := int(f.focus.Load())
			draw := int(rnd.Uint32())
			if draw%4 == 0 || !slices.Contains(own, at) {
				at = own[draw/4%len(own)]
			}
			if draw%32 == 31 {
				passNested(f.places[at], r)
			} else {
				f.places[at].pass(r)
			}
			r.Quiescent()
		}
		f.Passed(n, batch*passes)
		if c := dispatch.FreedCalls() - f.freedCalls; c > 0 {
			f.Fail("%s: %d calls out of freed arrays", f.broken.freed, c)
		}
	}
	return nil
}

// passNested is pass with a section around the sites' own.
func passNested(p passed, r *rcu.Reader) {
	r.Lock()
	defer r.Unlock()
	p.pass(r)
}

// newProbe makes a probe for a place.
func (f *firing[P]) newProbe(fn, prio int, at *place) (registration, error) {
	slot, err := f.data.Alloc()
	if err != nil {
		return registration{}, err
	}
	f.number++
	slot[0] = datum{torture.Alive, fn, f.number, at}
	return registration{probeOf(f.fns[fn], &slot[0], prio), slot}, nil
}

// release frees removed probes' data when no reader can use it any more, in one of the
// ways to wait, which way draws out of 64. It seldom waits: waiting makes every variant
// sound.
func (f *firing[P]) release(way int, synchronize func()) {
	switch way {
	case 0:
		synchronize()
		f.free(f.removed)
	case 1:
		state := f.domain.StartPoll()
		for !f.domain.Poll(state) {
			time.Sleep(50 * time.Microsecond)
		}
		f.free(f.removed)
	case 2, 3, 4, 5:
		f.freeLater(f.removed)
	default:
		return
	}
	f.removed = nil
}

// free frees removed probes' data. No probe may be called with it any more.
func (f *firing[P]) free(removed []registration) {
	for _, r := range removed {
		f.data.Free(r.slot)
	}
}

func (f *firing[P]) freeLater(removed []registration) {
	f.domain.Call(func() { f.free(removed) })
}

// wrongCall reports a call of function fn with data that is nil, another's, or not in use. d may
// be half freed.
func (f *firing[P]) wrongCall(fn int, d *datum) {
	switch {
	case d == nil:
		f.Fail("%s: f%d was called with the data of an array's end", f.broken.owner, fn)
	case d.magic != torture.Alive && d.magic != freed.magic:
		f.Fail("%s: f%d was called with the poison of a freed array (%#x)", f.broken.freed, fn, d.magic)
	case d.inUse():
		f.Fail("%s: f%d was called with %v; %s", f.broken.owner, fn, d, d.place.lastChanges())
	default:
		f.Fail("%s: f%d was called with data that had been freed", f.broken.freed, fn)
	}
}
