package rcutest

import (
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A model is what grace periods promise, without a way to keep it. They come one after
// the other; of each it knows whether it has begun, and whether it has ended.
type model struct {
	begun, ended int
	counters     rcu.Counters
	queued       []cookie // callbacks that have not run
}

// A cookie is the number of grace periods that had begun when it was taken: it asks for
// the next one's end.
type cookie int

func (m *model) take() cookie       { return cookie(m.begun) }
func (m *model) done(c cookie) bool { return m.ended > int(c) }
func (m *model) begin()             { m.begun++; m.counters.Started++ }
func (m *model) end()               { m.ended++ }
func (m *model) whole()             { m.begin(); m.end() }
func (m *model) synchronize()       { m.counters.Waited++; m.whole() }
func (m *model) call()              { m.queued = append(m.queued, m.take()) }
func (m *model) condSync(c cookie) {
	if m.done(c) {
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

// followsModel drives the Domain and the model through the same random events, and
// compares what they say of every cookie taken so far.
func followsModel(t *testing.T, d *rcu.Domain) {
	type taken struct {
		state rcu.State
		model cookie
		event int
	}
	rnd := judge.Rand(t)
	events := rounds(d, 2000)
	m := &model{begun: 1, ended: 1, counters: rcu.Counters{Started: 1, Waited: 1}} // by rounds
	var cookies []taken
	kinds := holders(d)
	if !d.WatchesIdle() {
		// The model knows nothing of this one, nor do grace periods.
		r := d.Register()
		r.EnterIdle()
		r.Lock()
		defer r.Unregister()
		defer r.Unlock()
	}
	var open *openGracePeriod
	defer func() {
		if open != nil {
			open.end()
		}
	}()
	var log []string
	note := func(what string) { log = append(log[max(0, len(log)-30):], what) }
	ran := 0
	for event := range events {
		// What would block for ever, or until the open grace period ends, is not
		// drawn while one is open.
		switch n := rnd.IntN(9); {
		case n <= 1:
			note("GetState")
			cookies = append(cookies, taken{d.GetState(), m.take(), event})
		case n == 2:
			note("Call")
			d.Call(func() { ran++ })
			m.call()
		case open != nil && n <= 6:
			note("end")
			open.end()
			open = nil
			m.end()
		case open != nil:
			if len(cookies) == 0 || !m.done(cookies[0].model) {
				continue
			}
			note("CondSync of the oldest, done")
			d.CondSync(cookies[0].state)
			m.condSync(cookies[0].model)
		case n <= 5:
			note("begin")
			open = holdOpenBy(d, kinds[rnd.IntN(len(kinds))])
			m.begin()
			m.counters.Waited++
		case n == 6:
			note("Synchronize")
			d.Synchronize()
			m.synchronize()
		case n == 7 && len(cookies) > 0:
			c := cookies[rnd.IntN(len(cookies))]
			note("CondSync")
			d.CondSync(c.state)
			m.condSync(c.model)
		default:
			note("Barrier")
			d.Barrier()
			m.barrier()
		}
		for _, c := range cookies {
			if got, want := d.Poll(c.state), m.done(c.model); got != want {
				t.Fatalf("a state taken %d events ago polls %v, want %v; the last events: %q", event-c.event, got, want, log)
			}
		}
		got := d.Counters()
		if got != m.counters || ran != int(m.counters.Callbacks) {
			t.Fatalf("%d callbacks have run, %+v, want %+v; the last events: %q", ran, got, m.counters, log)
		}
		if len(cookies) > 20 {
			cookies = cookies[10:]
		}
	}
}
