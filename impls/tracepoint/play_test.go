package tracepoint

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/internal/probes"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A schedule places three things into the gaps between the updater's steps: grace periods, the
// reader's load of the data, and its call. Gap 0 is before the first step. never is no gap.
//
// A grace period is placed only as follows, which is enough for any strategy:
//
//   - It ends before the load. No grace period can begin and end while the reader is held
//     (rcu's G1). After the call no reader is in the site.
//   - It begins before the load and ends while the reader is held, since a grace period need
//     not wait for a reader that came later. Only a strategy that polls can tell it from one
//     that ends where this one begins: a snapshot is the same during it and after it, and a
//     step that waits during it ends it and releases the reader.
//   - It begins while the reader is held and ends after the call. Before the call it only
//     changes the state that a later snapshot gets. So it matters only if a snapshot is taken
//     after it has begun.
//
// With two grace periods, one moment can pass, and then a later one.
type schedule struct {
	gps        []span
	load, call int
}

// A span is one grace period. A whole one begins and ends first in its gap. A late one begins
// while the reader is held and ends when the reader has left. Any other begins before the
// load and ends after it; both may be in one gap.
type span struct {
	begin, end  int
	whole, late bool
}

const never = -1

// A play performs one scenario with one schedule, on a real site with the real steps.
type play struct {
	*bench
	gate     *gate
	schedule schedule
	gap      int      // gaps passed so far
	on       bool     // count gaps
	reader   chan any // closed when the reader has passed the site; nil before
	held     bool     // the reader is in the gate
	released int      // the gap at which it was released
	used     [6]bool  // which lists of the policy the ops needed
	log      []string

	// seen is the state at each gap; asks counts the strategy's questions. See explore.
	seen []sight
	asks asks

	// open is closed when the open grace period has ended; it is nil if none is open. holder
	// is the reader that keeps it open, nil if the reader in the gate does. ended is the gap
	// at which the holder left.
	open   chan any
	holder *rcu.Reader
	ended  int
}

// A sight is what the reader and the strategy can have noticed up to a gap.
type sight struct {
	funcs uintptr       // the published array
	call  textpoke.Insn // the static call
	asked int           // calls of the engine
	state int           // those that returned a state
}

// asks is an engine that counts its calls.
type asks struct {
	domain *rcu.Domain
	n      int
	polls  int
	vain   int // polls that returned false
	states int
}

func (a *asks) GetState() rcu.State  { a.n++; a.states++; return a.domain.GetState() }
func (a *asks) CondSync(s rcu.State) { a.n++; a.domain.CondSync(s) }
func (a *asks) Synchronize()         { a.n++; a.domain.Synchronize() }
func (a *asks) Call(f func())        { a.n++; a.domain.Call(f) }

// StartPoll starts no grace period: the schedule places them.
func (a *asks) StartPoll() rcu.State { return a.GetState() }

// Poll lets a grace period pass after many polls that returned false: the strategy waits by
// polling.
func (a *asks) Poll(s rcu.State) bool {
	a.n++
	a.polls++
	if a.domain.Poll(s) {
		return true
	}
	const many = 1000
	if a.vain++; a.vain%many == 0 {
		a.domain.Synchronize()
	}
	return false
}

// act performs the scenario and returns what went wrong, or "".
func (p *play) act(s scenario, policy *Policy) string {
	p.registry = New(p.hooked(policy), p.domain)
	p.asks.domain = p.domain
	p.registry.rcu = &p.asks
	p.points = nil
	for i, site := range []*dispatch.Site{p.gate.site, otherSite(p.tb)} {
		tp, err := p.registry.Add("xy"[i:i+1], site)
		judge.Check(p.tb, err)
		p.points = append(p.points, tp)
	}
	for i := range s.start {
		p.add(0, p.letter(s.start[i]))
	}
	event.Calls = nil
	freed := dispatch.FreedCalls()
	p.on = !strings.Contains(s.ops, "|")
	for op := range strings.FieldsSeq(s.ops) {
		if op == "|" {
			p.on = true
			continue
		}
		p.log = append(p.log, op+":")
		p.asks.n++ // counts as a question: which memory the change gets depends on what has been freed
		judge.Check(p.tb, p.registry.Bulk(p.requests(op)))
	}
	p.pass() // the gap after the last step
	p.on = false
	p.close()
	p.release()
	calls := event.Calls
	mistake := p.atRest()
	p.clear()
	if p.reader == nil || mistake != "" {
		return mistake
	}
	if n := dispatch.FreedCalls() - freed; n > 0 {
		return fmt.Sprintf("T2: freed entries or thunks were called %d times (%v: %v)", n, s.name, p.log)
	}
	if mistake := event.Mistake(calls, event.Stays(s.start, s.ops), "T1", "T3"); mistake != "" {
		return fmt.Sprintf("%s (%v: %v)", mistake, s.name, p.log)
	}
	return ""
}

// atRest checks that the tracepoint, after the scenario, calls the registered probes.
func (p *play) atRest() string {
	got := event.Pass(p.domain, p.points[0].Fire)
	var want []event.Call
	for _, e := range probes.Of(p.points[0].funcs) {
		want = append(want, event.CallOf(p.fns, dispatch.Probe{Fn: dispatch.Func(e.Fn), Data: e.Data}))
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf("T3: in the end %v are called, want %v (%v)", got, want, p.log)
	}
	if off := slices.Equal(p.key(0), nop); off != (len(want) == 0) {
		return fmt.Sprintf("T4: in the end, with %d probes, the key is % x (%v)", len(want), p.key(0), p.log)
	}
	return ""
}

func otherSite(tb testing.TB) *dispatch.Site {
	tb.Helper()
	sites, err := dispatch.Events(1)
	judge.Check(tb, err)
	return sites[0]
}

// hooked returns the policy with a gap before each step, at which the play acts.
func (p *play) hooked(policy *Policy) *Policy {
	q := *policy
	for at, list := range q.lists() {
		steps := make([]Step, len(*list))
		for i, s := range *list {
			steps[i] = Step{Name: s.Name, waits: s.waits, do: func(group []*change) error {
				p.used[at] = p.used[at] || p.on
				return p.step(s, group)
			}}
		}
		*list = steps
	}
	return &q
}

// step does one step of the updater. If the step waits for the reader, or for the open grace
// period, it releases them: otherwise the step would wait without end.
func (p *play) step(s Step, group []*change) error {
	p.pass()
	p.note(s.Name)
	if !p.held && p.open == nil {
		return s.do(group)
	}
	waited := p.domain.Counters().Waited
	done := make(chan error, 1)
	go func() { done <- s.do(group) }()
	for {
		select {
		case err := <-done:
			return err
		default:
			runtime.Gosched()
		}
		if p.domain.Counters().Waited > waited {
			p.close()
			p.release()
		}
	}
}

// pass is one gap.
func (p *play) pass() {
	if !p.on {
		return
	}
	gap := p.gap
	p.gap++
	p.seen = append(p.seen, sight{published(p.gate.site), callOf(p.gate.site).Insn(), p.asks.n, p.asks.states})
	for _, gp := range p.schedule.gps {
		switch {
		case gap != gp.begin || gp.late:
		case gp.whole:
			p.note("<grace period>")
			p.domain.Synchronize()
			p.domain.Barrier() // frees what is due
		default:
			p.holder = p.domain.Register()
			p.holder.Lock()
			p.begin()
		}
	}
	if gap == p.schedule.load {
		p.load()
	}
	for _, gp := range p.schedule.gps {
		switch {
		case gap == gp.begin && gp.late && p.held:
			p.begin()
		case gap == gp.end && !gp.whole:
			p.close()
		}
	}
	if gap == p.schedule.call {
		p.release()
	}
}

// begin begins a grace period. A reader that is in a section keeps it open.
func (p *play) begin() {
	p.note("<grace period begins>")
	p.open = make(chan any)
	started := p.domain.Counters().Started
	go func() {
		defer close(p.open)
		p.domain.Synchronize()
	}()
	for p.domain.Counters().Started == started {
		runtime.Gosched()
	}
}

// close ends the open grace period, if there is one and it waits for its holder.
func (p *play) close() {
	if p.open == nil || p.holder == nil {
		return
	}
	p.note("<grace period ends>")
	p.holder.Unlock()
	p.holder.Unregister()
	p.holder = nil
	<-p.open
	p.open = nil
	p.ended = p.gap
}

func (p *play) note(s string) {
	if p.on {
		p.log = append(p.log, s+",")
	}
}

// load makes a reader enter the site. It stays in the gate; if it finds no probes, it passes.
func (p *play) load() {
	p.note("<reader loads>")
	p.gate.held.Store(0)
	p.gate.hold.Store(1)
	p.reader = make(chan any)
	go func() {
		defer close(p.reader)
		r := p.domain.Register()
		defer r.Unregister()
		p.points[0].Fire(r)
	}()
	for {
		select {
		case <-p.reader: // it found no probes
			p.gate.hold.Store(0)
			return
		default:
			runtime.Gosched()
		}
		if p.gate.held.Load() == 1 {
			p.held = true
			return
		}
	}
}

// release lets a held reader continue, and waits until it has left. It then waits for the end
// of the grace period that only this reader kept open.
func (p *play) release() {
	if !p.held {
		return
	}
	p.note("<reader calls>")
	p.held = false
	p.released = p.gap
	p.gate.hold.Store(0)
	<-p.reader
	if p.open != nil && p.holder == nil {
		<-p.open
		p.open = nil
	}
}
