//go:build steps && linux && amd64

package tracepoint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// replays are interleavings of docs/interleavings.md. Every strategy plays the same scripts.
// Their actions are "with AB", the probes before; a scenario's ops ("+A", "-*"); "fire" by a
// reader that registers for it and unregisters after it; and "a grace period passes". tp-V3 is
// in TestReplayV3, since it is an iterator's, and rcu-V9 in package rcu.
var replays = []judge.Replay{
	{
		Name: "tp-V1",
		Script: `
updater                                  reader
with AB
                                         fire until site: data loaded    // A's
-A
                                         go on                           // B(d_A)?`,
		Breaks: breaks("T1", "direct-static-call", "no-sync-2-1", "wrong-flavour"),
	},
	{
		Name: "tp-V2",
		Script: `
updater                                  reader
with A
+H until before static call = iterator
                                         fire                            // A(d_H)?
go on`,
		Breaks: breaks("T1", "direct-static-call", "publish-first"),
	},
	{
		Name: "tp-V4",
		Script: `
updater                                  reader
with Aa
                                         fire until site: data loaded    // A's, of one function with a
-A
                                         go on                           // A(d_A), and never A(d_a)?`,
		Breaks: breaks("T3", "direct-static-call", "no-sync-2-1", "compare-func", "wrong-flavour"),
	},
	{
		Name: "tp-V5",
		Script: `
updater                                  reader
with A
                                         fire until site: data loaded    // A's
-A
+B
                                         go on                           // B(d_A)?`,
		Breaks: breaks("T1", "direct-static-call", "no-sync-1-0", "wrong-flavour"),
	},
	{
		Name: "tp-V6",
		Script: `
updater                                  reader
with ABC
                                         fire until site: data loaded    // A's
-A
-C
                                         go on                           // B(d_A)?`,
		Breaks: breaks("T1", "direct-static-call", "no-sync-2-1", "no-state-n", "wrong-flavour"),
	},
	{
		Name: "tp-V6 by 1->2->1",
		Script: `
updater                                  reader
with A
+H until before get_state(N_2_1) if [0].data changed
                                         fire until site: data loaded    // H's
go on
-H
                                         go on                           // A(d_H)?`,
		// no-state-n is right here because of its last get_state: 2->1 itself changes the
		// first entry. publish-first is right as soon as its call goes to the iterator.
		Breaks: breaks("T1", "direct-static-call", "no-sync-2-1", "wrong-flavour"),
	},
	{
		Name: "tp-V10",
		Script: `
updater                                  reader
with ABC
-A                                                                       // and remembers this moment
a grace period passes
                                         fire until site: data loaded    // B's
-B                                                                       // must remember this one
                                         go on                           // C(d_B)?`,
		Breaks: breaks("T1", "direct-static-call", "no-sync-2-1", "wrong-flavour", "keeps-oldest"),
	},
	{
		Name: "tp-V10 by 1->2->1",
		Script: `
updater                                  reader
with A
+H
a grace period passes
                                         fire until site: data loaded    // H's
-H
                                         go on                           // A(d_H)?`,
		Breaks: breaks("T1", "direct-static-call", "no-sync-2-1", "wrong-flavour", "keeps-oldest"),
	},
}

// breaks says which strategies break the invariant. No other one that a script names may.
func breaks(invariant string, strategies ...string) map[string]string {
	list := map[string]string{}
	for _, name := range strategies {
		list[name] = invariant
	}
	return list
}

// If this fails, an interleaving does not break one of the strategies that it must break,
// every time; or it breaks a sound one.
func TestReplay(t *testing.T) {
	for _, name := range []string{"memb", "qsbr", "srcu"} {
		t.Run(name, func(t *testing.T) {
			play := func(t *testing.T, r judge.Replay, v Variant) (found string, trace []string) {
				mistake, trace := perform(newBench(t, v.New, flavour(t, name), 1), r.Script)
				found, _, _ = strings.Cut(mistake, ":")
				return found, append(trace, "the mistake: "+mistake)
			}
			judge.Replays(t, "tracepoint", Variants(), 20, replays, play)
		})
	}
}

// If this fails, wrong-flavour does not ask the wrong flavour, or asking it is enough. Its race
// (tp-V8) is the interleaving of tp-V5 with a strategy that waits for another flavour's readers.
func TestReplayV8(t *testing.T) {
	i := slices.IndexFunc(replays, func(r judge.Replay) bool { return r.Name == "tp-V5" })
	judge.Need(t, dispatch.Open(), "tracepoint")
	b := newBench(t, strategy(t, "wrong-flavour").New, flavour(t, "memb"), 1)
	before := vanilla().Counters()
	mistake, trace := perform(b, replays[i].Script)
	after := vanilla().Counters()
	if after.Waited+after.Elided == before.Waited+before.Elided {
		t.Errorf("the strategy did not ask the wrong flavour; %s", strings.Join(trace, "\n"))
	}
	if !strings.HasPrefix(mistake, "T1") {
		t.Errorf("the mistake was %q;\n%s", mistake, strings.Join(trace, "\n"))
	}
}

// If this fails, an iterator that does not check for NULL again does not crash in tp-V3, or
// one that checks does.
func TestReplayV3(t *testing.T) {
	const script = `
updater                                  reader
with AB
                                         fire until iterator: entered
-B
-A
                                         go on                           // walks NULL?`
	for _, d := range dispatch.Variants() {
		for _, v := range impls.OnlySound(Variants()) {
			t.Run(d.Name+"/"+v.Name, func(t *testing.T) {
				judge.Need(t, d.Supported(), "dispatch", d.Name)
				var b *bench
				waited := uint64(0) // for the reader, when the last probe goes
				look := Step{Name: "look", do: func([]*change) error { waited = b.domain.Counters().Waited; return nil }}
				policy := v.New.but(func(p *Policy) {
					p.Dispatch = d.New
					p.OneToZero = append([]Step{look}, p.OneToZero...)
				})
				b = newBench(t, &policy, flavour(t, "memb"), 1)
				mistake, trace := perform(b, script)
				want := d.New.Unchecked && waited == 0
				if broke := strings.HasPrefix(mistake, "D4"); broke != want || mistake != "" && !broke {
					t.Errorf("the mistake was %q;\n%s", mistake, strings.Join(trace, "\n"))
				}
			})
		}
	}
}

// perform plays a script with one tracepoint. It returns the first mistake, or "", and a trace of
// what happened.
func perform(b *bench, script string) (mistake string, trace []string) {
	b.tb.Helper()
	var stays []string
	actions := map[string]func(){
		"fire": func() {
			event.Calls = nil
			reader := b.domain.Register()
			defer reader.Unregister()
			defer func() {
				if p := recover(); p != nil {
					mistake = fmt.Sprintf("D4: the site panicked: %v", p)
					reader.Unlock() // the panic left the site's section open
				}
			}()
			b.points[0].Fire(reader)
		},
		"a grace period passes": b.domain.Synchronize,
	}
	for _, start := range []string{"A", "Aa", "AB", "ABC"} {
		actions["with "+start] = func() {
			for i := range start {
				b.add(0, b.letter(start[i]))
			}
			stays = event.Stays(start, script)
		}
	}
	for l := range strings.SplitSeq("A B C H a *", " ") {
		actions["+"+l] = func() { b.add(0, b.letter(l[0])) }
		actions["-"+l] = func() { b.remove(0, b.letter(l[0])) }
	}
	trace, err := step.Play(script, actions)
	judge.Check(b.tb, err)
	mistake = cmp.Or(mistake, event.Mistake(event.Calls, stays, "T1", "T3"))
	b.clear()
	b.domain.Barrier() // the site may belong to another Registry now
	return mistake, append(trace, fmt.Sprint("called: ", event.Calls))
}
