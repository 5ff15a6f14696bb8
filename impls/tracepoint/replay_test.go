//go:build steps && linux && amd64

package tracepoint

import (
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

// A replay is one interleaving of docs/interleavings.md as a script for package step. Its
// actions are a scenario's ops ("+A", "-*"), "fire" by a reader that registers for it and
// unregisters after it, and "a grace period passes". Every strategy plays the same script.
type replay struct {
	name   string // "tp-V1"
	start  string // the probes before
	script string
	breaks []string // the strategies that must fail. No sound one may, and no other one of these lists
	by     string   // the invariant that they break
}

// replays leaves tp-V3 to TestReplayV3, since it is an iterator's, and rcu-V9 to package rcu.
var replays = []replay{
	{
		name: "tp-V1", start: "AB",
		script: `
updater                                  reader
                                         fire until site: data loaded    // A's
-A
                                         go on                           // B(d_A)?`,
		breaks: []string{"direct-static-call", "no-sync-2-1", "wrong-flavour"}, by: "T1",
	},
	{
		name: "tp-V2", start: "A",
		script: `
updater                                  reader
+H until before static call = iterator
                                         fire                            // A(d_H)?
go on`,
		breaks: []string{"direct-static-call", "publish-first"}, by: "T1",
	},
	{
		name: "tp-V4", start: "Aa",
		script: `
updater                                  reader
                                         fire until site: data loaded    // A's, of one function with a
-A
                                         go on                           // A(d_A), and never A(d_a)?`,
		breaks: []string{"direct-static-call", "no-sync-2-1", "compare-func", "wrong-flavour"}, by: "T3",
	},
	{
		name: "tp-V5", start: "A",
		script: `
updater                                  reader
                                         fire until site: data loaded    // A's
-A
+B
                                         go on                           // B(d_A)?`,
		breaks: []string{"direct-static-call", "no-sync-1-0", "wrong-flavour"}, by: "T1",
	},
	{
		name: "tp-V6", start: "ABC",
		script: `
updater                                  reader
                                         fire until site: data loaded    // A's
-A
-C
                                         go on                           // B(d_A)?`,
		breaks: []string{"direct-static-call", "no-sync-2-1", "no-state-n", "wrong-flavour"}, by: "T1",
	},
	{
		name: "tp-V6 by 1->2->1", start: "A",
		script: `
updater                                  reader
+H until before get_state(N_2_1) if [0].data changed
                                         fire until site: data loaded    // H's
go on
-H
                                         go on                           // A(d_H)?`,
		// no-state-n is right here because of its last get_state: 2->1 itself changes the
		// first entry. publish-first is right as soon as its call goes to the iterator.
		breaks: []string{"direct-static-call", "no-sync-2-1", "wrong-flavour"}, by: "T1",
	},
	{
		name: "tp-V10", start: "ABC",
		script: `
updater                                  reader
-A                                                                       // and remembers this moment
a grace period passes
                                         fire until site: data loaded    // B's
-B                                                                       // must remember this one
                                         go on                           // C(d_B)?`,
		breaks: []string{"direct-static-call", "no-sync-2-1", "wrong-flavour", "keeps-oldest"}, by: "T1",
	},
	{
		name: "tp-V10 by 1->2->1", start: "A",
		script: `
updater                                  reader
+H
a grace period passes
                                         fire until site: data loaded    // H's
-H
                                         go on                           // A(d_H)?`,
		breaks: []string{"direct-static-call", "no-sync-2-1", "wrong-flavour", "keeps-oldest"}, by: "T1",
	},
}

// If this fails, an interleaving does not break one of the strategies that it must break,
// every time; or it breaks a sound one.
func TestReplay(t *testing.T) {
	for _, r := range replays {
		for _, flavour := range []string{"memb", "qsbr", "srcu"} {
			for _, v := range Variants() {
				t.Run(strings.ReplaceAll(r.name, " ", "_")+"/"+flavour+"/"+v.Name, func(t *testing.T) {
					for range 20 {
						r.play(t, v, flavour)
					}
				})
			}
		}
	}
}

// If this fails, wrong-flavour does not ask the wrong flavour, or asking it is enough. Its race
// (tp-V8) is the interleaving of tp-V5 with a strategy that waits for another flavour's readers.
func TestReplayV8(t *testing.T) {
	i := slices.IndexFunc(replays, func(r replay) bool { return r.name == "tp-V5" })
	judge.Need(t, dispatch.Open(), "tracepoint")
	b := newBench(t, strategy(t, "wrong-flavour").New, flavour(t, "memb"), 1)
	before := vanilla().Counters()
	mistake, trace := replays[i].on(b)
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
				r := replay{name: "tp-V3", start: "AB", script: script}
				b = newBench(t, &policy, flavour(t, "memb"), 1)
				mistake, trace := r.on(b)
				want := d.New.Unchecked && waited == 0
				if broke := strings.HasPrefix(mistake, "D4"); broke != want || mistake != "" && !broke {
					t.Errorf("the mistake was %q;\n%s", mistake, strings.Join(trace, "\n"))
				}
			})
		}
	}
}

// play plays the script once and compares the mistake with the one that the strategy must
// make.
func (r replay) play(t *testing.T, v Variant, flavourName string) {
	t.Helper()
	judge.Need(t, v.Supported(), "tracepoint", v.Name)
	if v.Status == impls.Busted && !slices.ContainsFunc(replays, func(r replay) bool { return slices.Contains(r.breaks, v.Name) }) {
		t.Skipf("no claim here about where %s fails", v.Name)
	}
	b := newBench(t, v.New, flavour(t, flavourName), 1)
	mistake, trace := r.on(b)
	want := ""
	if slices.Contains(r.breaks, v.Name) {
		want = r.by
	}
	if got, _, _ := strings.Cut(mistake, ":"); got != want {
		t.Fatalf("%s: the mistake was %q, want %q; from %q:\n%s", v.Name, mistake, want, r.start, strings.Join(trace, "\n"))
	}
}

// on plays the script with one tracepoint. It returns the first mistake, or "", and a trace of
// what happened.
func (r replay) on(b *bench) (mistake string, trace []string) {
	b.tb.Helper()
	for i := range r.start {
		b.add(0, b.letter(r.start[i]))
	}
	event.Calls = nil
	actions := map[string]func(){
		"fire": func() {
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
	for l := range strings.SplitSeq("A B C H a *", " ") {
		actions["+"+l] = func() { b.add(0, b.letter(l[0])) }
		actions["-"+l] = func() { b.remove(0, b.letter(l[0])) }
	}
	trace, err := step.Play(r.script, actions)
	judge.Check(b.tb, err)
	for _, c := range event.Calls {
		trace = append(trace, "called: "+c.String())
		if c.Data.Owner != c.Fn && mistake == "" {
			mistake = fmt.Sprintf("T1: %v was called", c)
		}
	}
	stays := scenario{start: r.start, ops: strings.Join(strings.Fields(r.script), " ")}.stays()
	for _, name := range stays {
		n := 0
		for _, c := range event.Calls {
			if c.Data.Name == name {
				n++
			}
		}
		if n != 1 && mistake == "" {
			mistake = fmt.Sprintf("T3: %s was called %d times", name, n)
		}
	}
	if len(b.points[0].funcs) > 0 {
		b.remove(0, dispatch.Probe{})
	}
	b.domain.Barrier() // the site may belong to another Registry now
	return mistake, trace
}
