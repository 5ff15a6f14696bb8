package tracepoint

import (
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/internal/probes"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A scenario is some probes and what an updater does with them while a reader is
// in the site: "+A" and "-A" with one probe, "-*" with all; a "y" before it does
// so on another tracepoint of the Registry. What a "&" joins is one bulk change. What
// stands before a "|" is over when the reader comes.
type scenario struct {
	name     string
	start    string
	ops      string
	harmless bool // no interleaving of the busted strategy breaks a promise here
}

// scenarios has every way by which the first entry's data and the static call's
// target can come to differ; tp-V1 to tp-V6 are those of docs/interleavings.md.
var scenarios = []scenario{
	{"tp-V1: first of two leaves", "AB", "-A", false},
	{"tp-V2: a higher one comes", "A", "+H", false},
	{"tp-V4: same function, other data", "Aa", "-A", false},
	{"tp-V5 tp-V8: another one's turn", "A", "-A +B", false},
	{"tp-V5: the same function's turn, other data", "A", "-A +a", true},
	{"tp-V5: all leave at once", "AB", "-* +C", false},
	{"tp-V5: 3->2->0->1", "ABC", "-A -* +H", false},
	{"tp-V5: another event is enabled in between", "A", "-A y+C +B", false},
	{"tp-V5: another event is disabled in between", "A", "y+C | -A y-C +B", false},
	{"tp-V5: 2->1->0->1", "AB", "-A -B +C", false},
	{"tp-V5: another event's 2->1 in between", "A", "y+A y+B y+C y-A | -A y-C +B", false},
	{"all leave, one by one", "AB", "-B -A", true},
	{"a third one comes", "AB", "+C", true},
	{"one of three leaves", "ABC", "-B", true},
	{"tp-V6: 3->2->1", "ABC", "-A -C", false},
	{"tp-V6: 1->2->1, a higher one comes and leaves", "A", "+H -H", false},
	{"tp-V6: 1->2->1, a higher one comes and stays", "A", "+H -A", false},
	{"tp-V6: 2->3->2->1", "AB", "+H -A -B", false},
	{"tp-V6: another event's 2->1 in between", "ABC", "y+A y+B | -A y-A -C", false},
	{"tp-V6: another event's 0->1 in between", "ABC", "y+C y-C | -A y+C -C", false},
	{"tp-V5: two leave in one bulk change, one comes", "A", "y+C | y-C&-A +B", false},
	{"tp-V5: one leaves, two come in one bulk change", "A", "y+C y-C | -A y+C&+B", false},
	{"tp-V5: twice in one bulk change", "A", "-A&+B", false},
	{"tp-V5: all leave in the middle of a bulk change", "AB", "y+C&-*&y-C&+C", false},
	{"tp-V1: one bulk change with 0->1 of another", "AB", "y+C y-C | y+C&-A", false},
	{"tp-V1: one bulk change with 2->1 of another", "AB", "y+A y+B | y-A&-A", false},
	{"tp-V2: one bulk change with 1->2 of another", "A", "y+A | y+H&+H", false},
	{"tp-V6: one bulk change with 3->2 of another", "ABC", "y+A y+B y+C | y-A&-A -C", false},
	{"tp-V10: 3->2->1, the first of them leaves twice", "ABC", "-A -B", false},
	{"tp-V10: a higher one comes and leaves", "A", "+H -H", false},
	{"tp-V10: two events are disabled, one is enabled", "A", "y+C | y-C -A +B", false},
}

// requests returns the bulk change that a scenario's op is.
func (b *bench) requests(op string) (list []Request) {
	for one := range strings.SplitSeq(op, "&") {
		one, other := strings.CutPrefix(one, "y")
		tp := b.points[0]
		if other {
			tp = b.points[1]
		}
		list = append(list, Request{tp, b.letter(one[1]), one[0] == '-'})
	}
	return list
}

// letter returns the probe that a scenario calls by this letter.
func (b *bench) letter(l byte) dispatch.Probe {
	switch l {
	case 'a':
		return event.Probe(b.fns[0], dataA2, 0) // A's function
	case 'b':
		return event.Probe(b.fns[1], dataABC[0], 0) // A's data
	case 'H':
		return event.Probe(b.fns[3], dataH, 10)
	case '*':
		return dispatch.Probe{}
	}
	return event.Probe(b.fns[l-'A'], dataABC[l-'A'], 0)
}

var (
	dataABC = [...]*event.Datum{{Name: "A", Owner: 0}, {Name: "B", Owner: 1}, {Name: "C", Owner: 2}}
	dataA2  = &event.Datum{Name: "a", Owner: 0}
	dataH   = &event.Datum{Name: "H", Owner: 3}
)

// stays lists the probes that are registered all the time.
func (s scenario) stays() (list []string) {
	for _, l := range s.start {
		if !strings.Contains(s.ops, "-"+string(l)) && !strings.Contains(s.ops, "-*") {
			list = append(list, string(l))
		}
	}
	return list
}

// A schedule places three things into the gaps between the updater's steps: grace
// periods, the reader's load (R4) and its call (R5). never is no gap.
//
// Why grace periods go only to these places, for any strategy whatever:
//
//   - A whole one ends before the load. While the reader is held none can begin and end:
//     that is G1 of package rcu. After the call there is no reader left to harm.
//   - One that begins before the load may end while the reader is held, since it need not
//     wait for a reader that came later. Only a strategy that polls can tell it from a
//     whole one at its beginning: a snapshot is the same in and after it, and a step that
//     waits in it ends it, and has the reader let go.
//   - One that begins with the reader held ends after the call. Up to the call it changes
//     only which state a later question gets. So it matters only where a state is asked for
//     after it has begun.
//
// Two grace periods are enough to satisfy one moment, and then a later one.
type schedule struct {
	gps        []span
	load, call int
}

// A span is one grace period. A whole one comes before what else its gap has. A late one
// begins when the reader is held, and ends when that has left. Any other begins before the
// load and ends after it, or in the same gap right before and after.
type span struct {
	begin, end  int
	whole, late bool
}

const never = -1

// A play is one scenario with one schedule, on the real site and the real steps.
type play struct {
	*bench
	gate     *gate
	schedule schedule
	gap      int      // how many have passed
	on       bool     // count gaps
	reader   chan any // closed when the reader has passed the site; nil before
	held     bool     // the reader is in the gate
	released int      // the gap at which it was let go
	used     [6]bool  // which lists of the policy the ops needed
	log      []string

	// seen is what there was at each gap; asks counts. See explore.
	seen []sight
	asks asks

	// open is the grace period that is under way: closed when it has ended. holder is the
	// reader that it waits for; nil if that is the one in the gate. ended is the gap at
	// which the holder left.
	open   chan any
	holder *rcu.Reader
	ended  int
}

// A sight is what a reader and the strategy can have noticed by some gap.
type sight struct {
	funcs uintptr       // the published array
	call  textpoke.Insn // the static call
	asked int           // questions to the engine
	state int           // those that got a state
}

// asks counts what a strategy asks of its engine.
type asks struct {
	domain *rcu.Domain
	n      int
	polls  int
	vain   int // polls that were not true
	states int
}

func (a *asks) GetState() rcu.State  { a.n++; a.states++; return a.domain.GetState() }
func (a *asks) CondSync(s rcu.State) { a.n++; a.domain.CondSync(s) }
func (a *asks) Synchronize()         { a.n++; a.domain.Synchronize() }
func (a *asks) Call(f func())        { a.n++; a.domain.Call(f) }

// StartPoll starts no grace period: they come where the schedule has them.
func (a *asks) StartPoll() rcu.State { return a.GetState() }

// Poll takes who polls again and again for one that waits: it gets a grace period.
func (a *asks) Poll(s rcu.State) bool {
	a.n++
	a.polls++
	if a.domain.Poll(s) {
		return true
	}
	const patience = 1000
	if a.vain++; a.vain%patience == 0 {
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
		p.asks.n++ // what memory there is for the change depends on what has been freed
		judge.Check(p.tb, p.registry.Bulk(p.requests(op)))
	}
	p.pass() // the gap behind everything
	p.on = false
	p.close()
	p.release()
	calls := event.Calls
	mistake := p.atRest()
	for _, tp := range p.points {
		if len(tp.funcs) > 0 {
			judge.Check(p.tb, p.registry.Unregister(tp, dispatch.Probe{}))
		}
	}
	if p.reader == nil || mistake != "" {
		return mistake
	}
	if n := dispatch.FreedCalls() - freed; n > 0 {
		return fmt.Sprintf("T2: what had been freed was called %d times (%v: %v)", n, s.name, p.log)
	}
	for _, c := range calls {
		if c.Data.Owner != c.Fn {
			return fmt.Sprintf("T1: %v was called (%v: %v)", c, s.name, p.log)
		}
	}
	for _, name := range s.stays() {
		n := 0
		for _, c := range calls {
			if c.Data.Name == name {
				n++
			}
		}
		if n != 1 {
			return fmt.Sprintf("T3: %s was called %d times (%v: %v)", name, n, s.name, p.log)
		}
	}
	return ""
}

// atRest checks that the tracepoint, when all is done, calls what is registered.
func (p *play) atRest() string {
	r := p.domain.Register()
	defer r.Unregister()
	event.Calls = nil
	p.points[0].Fire(r)
	var want []event.Call
	for _, e := range probes.Of(p.points[0].funcs) {
		want = append(want, event.CallOf(p.fns, dispatch.Probe{Fn: dispatch.Func(e.Fn), Data: e.Data}))
	}
	if !slices.Equal(event.Calls, want) {
		return fmt.Sprintf("T3: in the end %v are called, want %v (%v)", event.Calls, want, p.log)
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

// hooked returns the policy with a gap before each step.
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

// step does one step of the updater. If that comes to wait for the reader, or for a grace
// period that is held open, they are let go: they may be as slow as the updater's wait, but
// not slower.
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

// begin begins a grace period. A reader is held that keeps it open.
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

// close lets the open grace period end, if there is one that waits for its holder.
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

// load sends a reader into the site, up to the gate or, if it finds no probes,
// through it.
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

// release lets a held reader go on, and waits until it has left, and until the grace period
// has ended that it alone kept open.
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

// explore plays a scenario with every schedule and returns the first mistake, and
// how many plays it took. If only is not negative, and the ops do not need that
// list of the policy, once is enough. A schedule has up to so many grace periods.
//
// Of gaps that come to the same, one is tried:
//
//   - for a grace period, if the strategy asks nothing between them. What it can know of
//     grace periods is answers, and what they free is memory for its next change.
//   - for the load, if the array is the same and nothing is asked between them. Held from
//     the one or from the other, the reader has the same data, and no wait lets it go.
//   - for the call, if array and static call are the same. Of those it is the last, when
//     all is freed that will be.
//
// All this is looked at, and not declared by steps: a step has no other way to ask, and a
// reader sees nothing else.
func explore(b *bench, g *gate, s scenario, policy *Policy, only, grace int) (mistake string, plays int) {
	x := explorer{bench: b, gate: g, scenario: s, policy: policy, grace: grace}
	p := x.play(schedule{load: never, call: never})
	if x.mistake == "" && (only < 0 || p.used[only]) {
		x.readers(p)
	}
	return x.mistake, x.plays
}

// An explorer goes through the schedules of a scenario, up to the first mistake.
type explorer struct {
	*bench
	gate     *gate
	scenario scenario
	policy   *Policy
	grace    int // the most grace periods in a schedule
	plays    int
	mistake  string
}

func (x *explorer) play(at schedule) *play {
	x.plays++
	p := &play{bench: &bench{tb: x.tb, domain: x.domain, fns: x.fns}, gate: x.gate, schedule: at}
	x.mistake = p.act(x.scenario, x.policy)
	if x.plays%64 == 0 {
		x.domain.Barrier() // or the arrays to release pile up
		runtime.GC()
	}
	return p
}

// readers tries every reader that comes after the whole grace periods of p, which has none,
// and then all with another grace period.
func (x *explorer) readers(p *play) {
	gps, last, from := p.schedule.gps, len(p.seen)-1, 0
	if n := len(gps); n > 0 {
		from = gps[n-1].end
	}
	more := len(gps) < x.grace
	for load := range differ(p.seen, from, last, sameLoad) {
		held := x.calls(schedule{gps, load, last})
		if more && p.asks.polls > 0 {
			for begin := range differ(p.seen, from, load, sameAnswers) {
				x.spans(schedule{append(slices.Clip(gps), span{begin: begin, end: last}), load, last})
			}
		}
		if len(gps) == 0 && x.mistake == "" { // beside others it takes long, and shows nothing new
			for begin := range differ(held.seen, load, held.released-1, sameAnswers) {
				if held.asks.states > held.seen[begin].state {
					x.late(schedule{append(slices.Clip(gps), span{begin: begin, end: begin, late: true}), load, last}, held)
				}
			}
		}
	}
	for gap := range differ(p.seen, from, last, sameAnswers) {
		if !more || x.mistake != "" {
			return
		}
		if p := x.play(schedule{append(slices.Clip(gps), span{begin: gap, end: gap, whole: true}), never, never}); x.mistake == "" {
			x.readers(p)
		}
	}
}

// calls plays a schedule whose reader calls as late as it can, and then all in which it
// calls sooner. It returns the first.
func (x *explorer) calls(at schedule) *play {
	if x.mistake != "" {
		return nil
	}
	p := x.play(at)
	from := at.load
	for _, gp := range at.gps {
		from = max(from, gp.end) // sooner, the reader is gone when it ends
	}
	for call := from; call < min(at.call, p.released) && x.mistake == ""; call++ {
		if call == p.released-1 || !sameCall(p.seen[call], p.seen[call+1]) {
			x.play(schedule{at.gps, at.load, call})
		}
	}
	return p
}

// spans tries every end of a schedule's last grace period, which ends as late as it can.
func (x *explorer) spans(at schedule) {
	if x.mistake != "" {
		return
	}
	p := x.play(at)
	n := len(at.gps) - 1
	for end := range differ(p.seen, at.load, min(at.call, p.released, p.ended)-1, sameAnswers) {
		gps := slices.Clone(at.gps)
		gps[n].end = end
		x.calls(schedule{gps, at.load, at.call})
	}
}

// late tries a schedule whose last grace period begins under the reader. If the strategy does
// what it did without, in the play that is given, so does a reader that calls sooner.
func (x *explorer) late(at schedule, without *play) {
	if x.mistake != "" {
		return
	}
	p := x.play(at)
	same := func(a, b sight) bool { return sameAnswers(a, b) && a.call == b.call }
	if p.released != without.released || !slices.EqualFunc(p.seen, without.seen, same) {
		x.calls(at)
	}
}

func sameAnswers(a, b sight) bool { return a.asked == b.asked }
func sameLoad(a, b sight) bool    { return a.funcs == b.funcs && a.asked == b.asked }
func sameCall(a, b sight) bool    { return a.funcs == b.funcs && a.call == b.call }

// differ yields the gaps from first to last, but for those that are the same as the gap
// before them.
func differ(seen []sight, first, last int, same func(a, b sight) bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		for gap := first; gap <= last; gap++ {
			if (gap == first || !same(seen[gap-1], seen[gap])) && !yield(gap) {
				return
			}
		}
	}
}

// noGC keeps the collector from running by itself until the test ends.
func noGC(tb testing.TB) {
	percent := debug.SetGCPercent(-1)
	tb.Cleanup(func() { debug.SetGCPercent(percent) })
}

// If this fails, there is an interleaving by which a sound strategy calls a probe
// with another one's data (T1), or misses one or calls it twice (T3); or one by
// which the busted strategy goes wrong is not found any more, and then this test
// is worth nothing.
func TestT1EveryInterleaving(t *testing.T) {
	for _, flavour := range []string{"qsbr", "memb", "srcu"} {
		t.Run(flavour, func(t *testing.T) { everyInterleaving(t, flavour) })
	}
}

func everyInterleaving(t *testing.T, flavourName string) {
	for _, v := range Variants() {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, v.Supported(), "tracepoint")
			g := openGate(t)
			b := newBench(t, v.New, flavour(t, flavourName), 0)
			caught := 0
			for _, s := range scenarios {
				if flavourName != "qsbr" && strings.Contains(s.ops, "y") {
					continue // long, and nothing new with another flavour
				}
				race, _, _ := strings.Cut(v.Doc, ":")
				if v.Status == impls.Busted && isRace(race) && !isRace(race, s) {
					continue // it may be wrong here or not
				}
				mistake, plays := explore(b, g, s, v.New, -1, 2)
				if mistake != "" {
					caught++
				}
				switch {
				case v.Status == impls.Sound && mistake != "":
					t.Error(mistake)
				case v.Name == "direct-static-call" && mistake == "" && !s.harmless:
					t.Errorf("%s: no mistake in %d plays", s.name, plays)
				default:
					t.Logf("%s: %d plays %s", s.name, plays, mistake)
				}
			}
			if v.Status == impls.Busted && caught == 0 {
				t.Error("no mistake in any scenario of its race, or of all if it names none")
			}
		})
	}
}

// isRace reports whether the name of a race, with which the Doc of a busted strategy may
// begin, stands in the name of one of the scenarios: of all, if none is given.
func isRace(name string, in ...scenario) bool {
	if len(in) == 0 {
		in = scenarios
	}
	return slices.ContainsFunc(in, func(s scenario) bool {
		races, _, _ := strings.Cut(s.name, ":")
		return slices.Contains(strings.Fields(races), name)
	})
}

// If this fails, a strategy that polls where others wait cannot be told right from wrong, as
// a grace period that is under way when the reader loads goes unexplored, or is explored
// wrongly; or one that needs two grace periods, one that begins under the reader, or another
// event's transition to go wrong is not found out.
func TestT1GracePeriods(t *testing.T) {
	judge.Need(t, dispatch.Open(), "tracepoint")
	// ifPassed leaves the static call with the iterator where condSync would wait.
	ifPassed := Step{Name: "static call = first if polled", do: each(func(c *change) error {
		if s := c.registry.snapshots[sN21]; s.ongoing && !c.registry.rcu.Poll(s.state) {
			return nil
		}
		return callFirst.do([]*change{c})
	})}
	right := rcuCondSync.but(func(p *Policy) { p.TwoToOne = []Step{publish, getStateIfMoved(sN21), ifPassed} })
	// The wrong one lets a moment that has not passed stand for a later one, until it passes.
	lazy := ifMoved(Step{Name: "get_state if passed", do: each(func(c *change) error {
		if s := c.registry.snapshots[sN21]; s.ongoing && !c.registry.rcu.Poll(s.state) {
			return nil
		}
		return getState(sN21).do([]*change{c})
	})})
	wrong := right.but(func(p *Policy) {
		p.NToNMinusOne = []Step{publish, lazy}
		p.TwoToOne = []Step{publish, lazy, ifPassed}
	})
	// The last one keeps the oldest moment, and would have two grace periods pass since.
	twice := ifMoved(Step{Name: "get_state + 1 unless pending", do: each(func(c *change) error {
		if c.registry.snapshots[sN21].ongoing {
			return nil
		}
		const another = 4 // in rcu's counter
		c.registry.snapshots[sN21] = snapshot{c.registry.rcu.GetState() + another, true}
		return nil
	})})
	cautious := rcuCondSync.but(func(p *Policy) {
		p.NToNMinusOne = []Step{publish, twice}
		p.TwoToOne = []Step{publish, twice, condSync(sN21), callFirst}
	})
	// This one takes a grace period that has begun for one that has passed.
	ifSame := Step{Name: "synchronize if the state is the same", waits: true, do: each(func(c *change) error {
		if c.registry.snapshots[sN21].state == c.registry.rcu.GetState() {
			c.registry.rcu.Synchronize()
		}
		return nil
	})}
	compares := rcuCondSync.but(func(p *Policy) { p.TwoToOne = []Step{publish, getState(sN21), ifSame, callFirst} })
	// This one forgets both moments when one of them has passed.
	forget := Step{Name: "forget", do: each(func(c *change) error {
		c.registry.snapshots = [2]snapshot{}
		return nil
	})}
	once := rcuCondSync.but(func(p *Policy) { p.ZeroToOne = []Step{condSync(s101), forget, callFirst, publish, keyEnable} })
	for _, name := range []string{"qsbr", "memb", "srcu"} {
		t.Run(name, func(t *testing.T) {
			g := openGate(t)
			b := newBench(t, &right, flavour(t, name), 0)
			wrongs := []struct {
				name   string
				policy *Policy
				ops    string // with the probes A, B and C at the start
				grace  int
			}{
				{"one that polls", &wrong, "-A -B", 1},
				{"one that is cautious", &cautious, "-A -B", 2},
				{"one that compares states", &compares, "-A -B", 1},
				{"one that waits once for both", &once, "y+C y-C | -A y+C -C", 1},
			}
			for _, s := range scenarios {
				if strings.Contains(s.ops, "y") {
					continue
				}
				const twoToOne = 4 // the list in which it differs from rcuCondSync
				mistake, plays := explore(b, g, s, &right, twoToOne, 1)
				if mistake != "" {
					t.Errorf("the right one after %d plays: %s", plays, mistake)
				}
			}
			for _, w := range wrongs {
				mistake, plays := explore(b, g, scenario{start: "ABC", ops: w.ops}, w.policy, -1, w.grace)
				if !strings.HasPrefix(mistake, "T1") {
					t.Errorf("%s: mistake %q in %d plays", w.name, mistake, plays)
				}
				t.Log(plays, mistake)
			}
		})
	}
}

// If this fails, a strategy asks something that explore does not count, and schedules that
// differ count as the same.
func TestEveryQuestionCounts(t *testing.T) {
	d := flavour(t, "qsbr").New(rcu.Options{Lazy: rcu.OnlyBarrier})
	defer d.Close()
	a := &asks{domain: d}
	args := map[reflect.Type]reflect.Value{
		reflect.TypeFor[rcu.State](): reflect.ValueOf(d.GetState()),
		reflect.TypeFor[func()]():    reflect.ValueOf(func() {}),
	}
	for question := range reflect.TypeFor[engine]().Methods() {
		var in []reflect.Value
		for typ := range question.Type.Ins() {
			in = append(in, args[typ])
		}
		before := *a
		reflect.ValueOf(a).MethodByName(question.Name).Call(in)
		polls := 0
		if question.Name == "Poll" {
			polls = 1
		}
		if a.n != before.n+1 || a.polls != before.polls+polls {
			t.Errorf("%s counts as %d questions and %d polls", question.Name, a.n-before.n, a.polls-before.polls)
		}
	}
}

// without returns the policy without one step of one list.
func without(p *Policy, list, step int) *Policy {
	q := *p
	l := q.lists()[list]
	*l = slices.Delete(slices.Clone(*l), step, step+1)
	return &q
}

// swapped returns the policy with a step and the next one exchanged.
func swapped(p *Policy, list, step int) *Policy {
	q := *p
	l := q.lists()[list]
	*l = slices.Clone(*l)
	(*l)[step], (*l)[step+1] = (*l)[step+1], (*l)[step]
	return &q
}

var transitionNames = [...]string{"0->1", "1->2", "N->N+1", "N->N-1", "2->1", "1->0"}

// If this fails, a step of a strategy could be lost, or change places with the
// next, and TestT1EveryInterleaving would not notice, although it matters; or a
// step that was thought to be a matter of taste turns out to matter.
func TestT1EveryStepMatters(t *testing.T) {
	const (
		slower  = "the call stays with the iterator: slower, and right"
		anytime = "while the call is the iterator, a new array may come at any time"
		keys    = "readers past the key find the same steps"
		early   = "it finds the array of before, or NULL, and the iterator"
		gone    = "who is past the key finds NULL and leaves"
		paired  = "call and array may disagree: either calls functions with their own data"
		unused  = "R3 finds a freed array and takes nothing from it but that it is not NULL"
		stale   = "who still has this probe's data finds its function; 0->1 sets the call before it publishes"
	)
	common := map[string]string{
		"0->1 without static call = first":                    slower,
		"0->1 with publish before static call = first":        anytime,
		"0->1 with key enable before publish":                 early,
		"2->1 without static call = first":                    slower,
		"1->0 with static call = iterator before key disable": keys,
		"1->0 without static call = iterator":                 stale,
		"1->0 with publish before static call = iterator":     stale,
	}
	harmless := map[string]map[string]string{"naive-sync": common, "rcu-cond-sync": common, "tp-cond-sync": common}
	harmless["batched"] = map[string]string{
		"2->1 without static call = first":     slower,
		"1->0 with publish before key disable": gone,
	}
	harmless["bound"] = map[string]string{
		"0->1 with key enable before publish":             early,
		"1->2 with publish before static call = iterator": paired,
		"2->1 without publish":                            unused,
		"2->1 with static call = first before publish":    paired,
		"2->1 without static call = first":                slower,
		"1->0 with publish before key disable":            gone,
	}
	for name, reasons := range harmless {
		t.Run(name, func(t *testing.T) {
			v := strategy(t, name)
			g := openGate(t)
			b := newBench(t, v.New, flavour(t, "qsbr"), 0)
			try := func(mutant string, list int, p *Policy) {
				mistake := ""
				for _, s := range scenarios {
					if strings.Contains(s.ops, "y") {
						continue // long, and nothing new here
					}
					if mistake, _ = explore(b, g, s, p, list, 1); mistake != "" {
						break
					}
				}
				switch reason, ok := reasons[mutant]; {
				case mistake == "" && !ok:
					t.Errorf("%s: no mistake found", mutant)
				case mistake != "" && ok:
					t.Errorf("%s is not harmless (%s): %s", mutant, reason, mistake)
				default:
					t.Logf("%s: %s%s", mutant, reason, mistake)
				}
			}
			for list, steps := range v.New.lists() {
				for i, s := range *steps {
					try(fmt.Sprintf("%s without %s", transitionNames[list], s.Name), list, without(v.New, list, i))
					if i+1 < len(*steps) {
						try(fmt.Sprintf("%s with %s before %s", transitionNames[list], (*steps)[i+1].Name, s.Name), list, swapped(v.New, list, i))
					}
				}
			}
		})
	}
}
