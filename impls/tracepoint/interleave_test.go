package tracepoint

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A scenario is some probes and what an updater does while a reader is in the site. "+A" and
// "-A" add and remove one probe, "-*" removes all. "y" before it means another tracepoint of
// the Registry. "&" joins requests of one bulk change. What stands before "|" ends before the
// reader comes.
type scenario struct {
	name     string
	start    string
	ops      string
	harmless bool // direct-static-call breaks no invariant here
}

// scenarios has every way by which the first entry's data and the static call's target can
// come to differ. A name begins with the races of docs/interleavings.md that it is about.
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

// noGC stops automatic garbage collection until the test ends.
func noGC(tb testing.TB) {
	percent := debug.SetGCPercent(-1)
	tb.Cleanup(func() { debug.SetGCPercent(percent) })
}

// If this fails, there is an interleaving in which a sound strategy calls a probe with another
// one's data (T1), or misses a probe or calls it twice (T3); or the test no longer finds the
// interleaving that breaks a busted strategy, and then it proves nothing.
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
					continue // takes long, and finds nothing new with another flavour
				}
				race, _, _ := strings.Cut(v.Doc, ":")
				if v.Status == impls.Busted && isRace(race) && !isRace(race, s) {
					continue // no claim: it may be right or wrong here
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

// The strategies of TestT1GracePeriods, and their steps.
var (
	// callIfPolled leaves the static call with the iterator where condSync would wait.
	callIfPolled = Step{Name: "static call = first if polled", do: each(func(c *change) error {
		if s := c.registry.snapshots[sN21]; s.ongoing && !c.registry.rcu.Poll(s.state) {
			return nil
		}
		return callFirst.do([]*change{c})
	})}
	pollsRight = rcuCondSync.but(func(p *Policy) { p.TwoToOne = []Step{publish, getStateIfMoved(sN21), callIfPolled} })

	// pollsWrong keeps a moment that has not passed, and does not remember the later one.
	getStateIfPassed = ifMoved(Step{Name: "get_state if passed", do: each(func(c *change) error {
		if s := c.registry.snapshots[sN21]; s.ongoing && !c.registry.rcu.Poll(s.state) {
			return nil
		}
		return getState(sN21).do([]*change{c})
	})})
	pollsWrong = pollsRight.but(func(p *Policy) {
		p.NToNMinusOne = []Step{publish, getStateIfPassed}
		p.TwoToOne = []Step{publish, getStateIfPassed, callIfPolled}
	})

	// waitsTwice keeps the oldest moment, and lets two grace periods pass since then.
	getStatePlusOne = ifMoved(Step{Name: "get_state + 1 unless pending", do: each(func(c *change) error {
		if c.registry.snapshots[sN21].ongoing {
			return nil
		}
		const another = 4 // in rcu's counter
		c.registry.snapshots[sN21] = snapshot{c.registry.rcu.GetState() + another, true}
		return nil
	})})
	waitsTwice = rcuCondSync.but(func(p *Policy) {
		p.NToNMinusOne = []Step{publish, getStatePlusOne}
		p.TwoToOne = []Step{publish, getStatePlusOne, condSync(sN21), callFirst}
	})

	// comparesStates takes a grace period that has begun for one that has passed.
	synchronizeIfSame = Step{Name: "synchronize if the state is the same", waits: true, do: each(func(c *change) error {
		if c.registry.snapshots[sN21].state == c.registry.rcu.GetState() {
			c.registry.rcu.Synchronize()
		}
		return nil
	})}
	comparesStates = rcuCondSync.but(func(p *Policy) { p.TwoToOne = []Step{publish, getState(sN21), synchronizeIfSame, callFirst} })

	// waitsOnce forgets both moments when one of them has passed.
	forget = Step{Name: "forget", do: each(func(c *change) error {
		c.registry.snapshots = [2]snapshot{}
		return nil
	})}
	waitsOnce = rcuCondSync.but(func(p *Policy) { p.ZeroToOne = []Step{condSync(s101), forget, callFirst, publish, keyEnable} })
)

// If this fails, explore cannot tell a right strategy that polls from a wrong one, because it
// does not place a grace period around the reader's load, or does so wrongly; or it does not
// find the mistake of a strategy that goes wrong only with two grace periods, with one that
// begins while the reader is held, or with another event's transition.
func TestT1GracePeriods(t *testing.T) {
	judge.Need(t, dispatch.Open(), "tracepoint")
	for _, name := range []string{"qsbr", "memb", "srcu"} {
		t.Run(name, func(t *testing.T) {
			g := openGate(t)
			b := newBench(t, &pollsRight, flavour(t, name), 0)
			wrongs := []struct {
				name   string
				policy *Policy
				ops    string // with the probes A, B and C at the start
				grace  int
			}{
				{"one that polls", &pollsWrong, "-A -B", 1},
				{"one that waits for two", &waitsTwice, "-A -B", 2},
				{"one that compares states", &comparesStates, "-A -B", 1},
				{"one that waits once for both", &waitsOnce, "y+C y-C | -A y+C -C", 1},
			}
			for _, s := range scenarios {
				if strings.Contains(s.ops, "y") {
					continue
				}
				const twoToOne = 4 // the list in which pollsRight differs from rcuCondSync
				mistake, plays := explore(b, g, s, &pollsRight, twoToOne, 1)
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

// If this fails, a strategy can call the engine in a way that asks does not count, and explore
// takes different schedules for the same.
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

// If this fails, a step of a strategy can be left out, or change places with the next, and
// TestT1EveryInterleaving does not notice; or a change of steps that harmless lists does harm.
func TestT1EveryStepMatters(t *testing.T) {
	const (
		slower  = "the call stays with the iterator, which is right"
		anytime = "while the call goes to the iterator, the array may change at any time"
		keys    = "a reader past the key finds the same steps"
		early   = "the reader finds the array of before, or NULL, and the iterator"
		gone    = "a reader past the key finds NULL and leaves"
		paired  = "call and array may disagree: each leads to functions with their own data"
		unused  = "the reader loads a freed array, and uses only that it is not NULL"
		stale   = "a reader with this probe's data finds its function; 0->1 sets the call before it publishes"
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
						continue // takes long, and finds nothing new
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
