package rcu_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A model is what grace periods promise, without a way to keep it. One grace period comes after
// another. The model counts how many have begun and how many have ended.
type model struct {
	begun, ended int
	counters     rcu.Counters
	queued       []moment // of callbacks that have not run
}

// A moment is the model's rcu.State: the number of grace periods that had begun. It is satisfied
// when the next one has ended.
type moment int

func (m *model) now() moment        { return moment(m.begun) }
func (m *model) done(x moment) bool { return m.ended > int(x) }
func (m *model) begin()             { m.begun++; m.counters.Started++ }
func (m *model) end()               { m.ended++ }
func (m *model) whole()             { m.begin(); m.end() }
func (m *model) synchronize()       { m.counters.Waited++; m.whole() }
func (m *model) call()              { m.queued = append(m.queued, m.now()) }
func (m *model) condSync(x moment) {
	if m.done(x) {
		m.counters.Elided++
		return
	}
	m.synchronize()
}

// barrier runs all callbacks, after a grace period if the last needs one.
func (m *model) barrier() {
	if n := len(m.queued); n > 0 && !m.done(m.queued[n-1]) {
		m.whole()
	}
	m.counters.Callbacks += uint64(len(m.queued))
	m.queued = nil
}

// A pair is a Domain and the model of it, and what has been done to both.
type pair struct {
	domain *rcu.Domain
	model  *model
	states []snapshot           // taken so far, the oldest first
	open   *rcu.OpenGracePeriod // or nil
	ran    int                  // callbacks
	log    []string             // the last events
}

// A snapshot is a state of the Domain, with the model's moment.
type snapshot struct {
	state  rcu.State
	moment moment
	event  int // its number
}

// followsModel drives the Domain and the model through the same random events, and compares them
// after each.
func followsModel(t *testing.T, d *rcu.Domain) {
	rnd := judge.Rand(t)
	events := rounds(d, 2000)
	p := &pair{domain: d, model: &model{begun: 1, ended: 1, counters: rcu.Counters{Started: 1, Waited: 1}}} // by rounds
	if !d.WatchesIdle() {
		// Neither the model nor a grace period knows of this reader's section.
		r := d.Register()
		r.EnterIdle()
		r.Lock()
		defer r.Unregister()
		defer r.Unlock()
	}
	defer func() {
		if p.open != nil {
			p.open.End()
		}
	}()
	defer judge.LogLast(t, &p.log)
	for event := range events {
		p.random(rnd, event)
		p.compare(t, event)
		if len(p.states) > 20 {
			p.states = p.states[10:]
		}
	}
}

// random does one random event. While a grace period is open it does none that would wait for
// the end of that.
func (p *pair) random(rnd *rand.Rand, event int) {
	d, m := p.domain, p.model
	note := func(what string) { p.log = append(p.log, what) }
	condSync := func(s snapshot) {
		d.CondSync(s.state)
		m.condSync(s.moment)
	}
	switch n := rnd.IntN(9); {
	case n <= 1:
		note("GetState")
		p.states = append(p.states, snapshot{d.GetState(), m.now(), event})
	case n == 2:
		note("Call")
		d.Call(func() { p.ran++ })
		m.call()
	case p.open != nil && n <= 6:
		note("end")
		p.open.End()
		p.open = nil
		m.end()
	case p.open != nil:
		if len(p.states) > 0 && m.done(p.states[0].moment) {
			note("CondSync of the oldest, satisfied")
			condSync(p.states[0])
		}
	case n <= 5:
		note("begin")
		kinds := rcu.Holders(d)
		p.open = rcu.HoldOpenBy(d, kinds[rnd.IntN(len(kinds))])
		m.begin()
		m.counters.Waited++
	case n == 6:
		note("Synchronize")
		d.Synchronize()
		m.synchronize()
	case n == 7 && len(p.states) > 0:
		note("CondSync")
		condSync(p.states[rnd.IntN(len(p.states))])
	default:
		note("Barrier")
		d.Barrier()
		m.barrier()
	}
}

// compare compares what the Domain and the model say about every state, and the counters.
func (p *pair) compare(t *testing.T, event int) {
	t.Helper()
	for _, s := range p.states {
		if got, want := p.domain.Poll(s.state), p.model.done(s.moment); got != want {
			t.Fatalf("a state taken %d events ago polls %v, want %v", event-s.event, got, want)
		}
	}
	if got, want := p.domain.Counters(), p.model.counters; got != want || p.ran != int(want.Callbacks) {
		t.Fatalf("%d callbacks have run, %+v, want %+v", p.ran, got, want)
	}
}
