package tracepoint

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/implstest"
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
// target can come to differ; V1 to V6 are those of docs/interleavings.md.
var scenarios = []scenario{
	{"V1: first of two leaves", "AB", "-A", false},
	{"V2: a higher one comes", "A", "+H", false},
	{"V4: same function, other data", "Aa", "-A", false},
	{"V5: another one's turn", "A", "-A +B", false},
	{"V5: the same function's turn, other data", "A", "-A +a", true},
	{"V5: all leave at once", "AB", "-* +C", false},
	{"V5: 3->2->0->1", "ABC", "-A -* +H", false},
	{"V5: another event is enabled in between", "A", "-A y+C +B", false},
	{"V5: another event is disabled in between", "A", "y+C | -A y-C +B", false},
	{"V5: 2->1->0->1", "AB", "-A -B +C", false},
	{"all leave, one by one", "AB", "-B -A", true},
	{"a third one comes", "AB", "+C", true},
	{"one of three leaves", "ABC", "-B", true},
	{"V6: 3->2->1", "ABC", "-A -C", false},
	{"V6: 1->2->1, a higher one comes and leaves", "A", "+H -H", false},
	{"V6: 1->2->1, a higher one comes and stays", "A", "+H -A", false},
	{"V6: 2->3->2->1", "AB", "+H -A -B", false},
	{"V6: another event's 2->1 in between", "ABC", "y+A y+B | -A y-A -C", false},
	{"V5: two leave in one bulk change, one comes", "A", "y+C | y-C&-A +B", false},
	{"V5: one leaves, two come in one bulk change", "A", "y+C y-C | -A y+C&+B", false},
	{"V5: twice in one bulk change", "A", "-A&+B", false},
	{"V5: all leave in the middle of a bulk change", "AB", "y+C&-*&y-C&+C", false},
	{"V1: one bulk change with 0->1 of another", "AB", "y+C y-C | y+C&-A", false},
	{"V1: one bulk change with 2->1 of another", "AB", "y+A y+B | y-A&-A", false},
	{"V2: one bulk change with 1->2 of another", "A", "y+A | y+H&+H", false},
	{"V6: one bulk change with 3->2 of another", "ABC", "y+A y+B y+C | y-A&-A -C", false},
}

// letter returns the probe that a scenario calls by this letter.
func (b *bench) letter(l byte) dispatch.Probe {
	switch l {
	case 'a':
		return probe(b.fns[0], dataA2, 0) // A's function
	case 'H':
		return probe(b.fns[3], dataH, 10)
	case '*':
		return dispatch.Probe{}
	}
	return probe(b.fns[l-'A'], dataABC[l-'A'], 0)
}

var (
	dataABC = [...]*datum{{name: "A", owner: 0}, {name: "B", owner: 1}, {name: "C", owner: 2}}
	dataA2  = &datum{name: "a", owner: 0}
	dataH   = &datum{name: "H", owner: 3}
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

// A schedule places three things into the gaps between the updater's steps: a
// whole grace period, the reader's load (R4) and its call (R5). never is no gap.
type schedule struct{ gp, load, call int }

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
}

// act performs the scenario and returns what went wrong, or "".
func (p *play) act(s scenario, policy *Policy) string {
	p.registry = New(p.hooked(policy), p.domain)
	p.points = nil
	for i, site := range []*dispatch.Site{p.gate.site, otherSite(p.tb)} {
		tp, err := p.registry.Add("xy"[i:i+1], site)
		implstest.Check(p.tb, err)
		p.points = append(p.points, tp)
	}
	for i := range s.start {
		p.add(0, p.letter(s.start[i]))
	}
	seen.calls = nil
	freed := dispatch.FreedCalls()
	p.on = !strings.Contains(s.ops, "|")
	for op := range strings.FieldsSeq(s.ops) {
		if op == "|" {
			p.on = true
			continue
		}
		p.log = append(p.log, op+":")
		var requests []Request
		for one := range strings.SplitSeq(op, "&") {
			one, other := strings.CutPrefix(one, "y")
			tp := p.points[0]
			if other {
				tp = p.points[1]
			}
			requests = append(requests, Request{tp, p.letter(one[1]), one[0] == '-'})
		}
		implstest.Check(p.tb, p.registry.Bulk(requests))
	}
	p.pass() // the gap behind everything
	p.on = false
	p.release()
	calls := seen.calls
	mistake := p.atRest()
	for _, tp := range p.points {
		if len(tp.funcs) > 0 {
			implstest.Check(p.tb, p.registry.Unregister(tp, dispatch.Probe{}))
		}
	}
	if p.reader == nil || mistake != "" {
		return mistake
	}
	if n := dispatch.FreedCalls() - freed; n > 0 {
		return fmt.Sprintf("T2: what had been freed was called %d times (%v: %v)", n, s.name, p.log)
	}
	for _, c := range calls {
		if c.data.owner != c.fn {
			return fmt.Sprintf("T1: %v was called (%v: %v)", c, s.name, p.log)
		}
	}
	for _, name := range s.stays() {
		n := 0
		for _, c := range calls {
			if c.data.name == name {
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
	seen.calls = nil
	p.points[0].Fire(r)
	var want []firing
	for _, e := range probesOf(p.points[0].funcs) {
		q := dispatch.Probe{Fn: dispatch.Func(e.Fn), Data: e.Data}
		want = append(want, firing{slices.Index(p.fns, q.Fn), dataOf(q)})
	}
	if !slices.Equal(seen.calls, want) {
		return fmt.Sprintf("T3: in the end %v are called, want %v (%v)", seen.calls, want, p.log)
	}
	if off := slices.Equal(p.key(0), nop); off != (len(want) == 0) {
		return fmt.Sprintf("T4: in the end, with %d probes, the key is % x (%v)", len(want), p.key(0), p.log)
	}
	return ""
}

func otherSite(tb testing.TB) *dispatch.Site {
	tb.Helper()
	sites, err := dispatch.Events(1)
	implstest.Check(tb, err)
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

// step does one step of the updater. If that comes to wait for the reader, the
// reader is let go: it may be as slow as the updater's wait, but not slower.
func (p *play) step(s Step, group []*change) error {
	p.pass()
	p.note(s.Name)
	if !p.held {
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
		if p.held && p.domain.Counters().Waited > waited {
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
	if gap == p.schedule.gp {
		p.note("<grace period>")
		p.domain.Synchronize()
		p.domain.Barrier() // frees what is due
	}
	if gap == p.schedule.load {
		p.load()
	}
	if gap == p.schedule.call {
		p.release()
	}
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

// release lets a held reader go on, and waits until it has left.
func (p *play) release() {
	if !p.held {
		return
	}
	p.note("<reader calls>")
	p.held = false
	p.released = p.gap
	p.gate.hold.Store(0)
	<-p.reader
}

// explore plays a scenario with every schedule and returns the first mistake, and
// how many plays it took. If only is not negative, and the ops do not need that
// list of the policy, once is enough.
func explore(b *bench, g *gate, s scenario, policy *Policy, only int) (mistake string, plays int) {
	play := func(at schedule) *play {
		plays++
		p := &play{bench: &bench{tb: b.tb, domain: b.domain, fns: b.fns}, gate: g, schedule: at}
		mistake = p.act(s, policy)
		if plays%64 == 0 {
			b.domain.Barrier() // or the arrays to release pile up
			runtime.GC()
		}
		return p
	}
	dry := play(schedule{never, never, never})
	if mistake != "" || only >= 0 && !dry.used[only] {
		return mistake, plays
	}
	for load := range dry.gap {
		lastGP := never
		if remembers(policy) || policy.Dispatch.Bound { // whose thunks are freed
			lastGP = load
		}
		for gp := never; gp <= lastGP; gp++ {
			for call := load; call < dry.gap; call++ {
				p := play(schedule{gp, load, call})
				if mistake != "" {
					return mistake, plays
				}
				if p.released <= call {
					break // it did not last that long: later calls are the same play
				}
			}
		}
	}
	return "", plays
}

// remembers reports whether it matters to the policy if a grace period has passed.
func remembers(p *Policy) bool {
	lists := p.lists()
	return slices.ContainsFunc(lists[:], func(list *[]Step) bool {
		return slices.ContainsFunc(*list, func(s Step) bool { return strings.HasPrefix(s.Name, "cond_sync") })
	})
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
			implstest.Need(t, v.Supported(), "tracepoint")
			g := openGate(t)
			b := newBench(t, v.New, flavour(t, flavourName), 0)
			caught := 0
			for _, s := range scenarios {
				if flavourName != "qsbr" && strings.Contains(s.ops, "y") {
					continue // long, and nothing new with another flavour
				}
				mistake, plays := explore(b, g, s, v.New, -1)
				if mistake != "" && strings.HasPrefix(s.name, bug(v)) {
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
				t.Errorf("no mistake in any scenario of %s", bug(v))
			}
		})
	}
}

// bug is how the scenarios of a busted strategy begin: "V5". That of wrong-flavour
// is V5's, with another cause.
func bug(v Variant) string {
	name, _, _ := strings.Cut(v.Doc, ":")
	switch name {
	case "V1", "V2", "V4", "V5", "V6":
		return name
	case "V8":
		return "V5"
	}
	return "V"
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
					if mistake, _ = explore(b, g, s, p, list); mistake != "" {
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
