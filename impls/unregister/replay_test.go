//go:build steps && linux && amd64

package unregister

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// replays are interleavings of docs/interleavings.md. Every variant plays the same scripts. Their
// actions are "with AB", the probes before; "+A"; "-A", removal of a probe with memory, and
// "-A!", without; "synchronize"; "free A", after which A must not be called; and "fire", which
// must call the probes that stay.
var replays = []judge.Replay{
	{
		Name: "un-A1",
		Script: `
updater                                  reader
with ABC
                                         fire until probe: called        // A, in half 0
-A                                                                       // half 1 = {B, C}
-B                                                                       // half 0 = {C}
                                         go on                           // p[1] is the end?`,
		Breaks: map[string]string{"double-array": "M2"},
	},
	{
		Name: "un-A1 without memory",
		Script: `
updater                                  reader
with ABC
                                         fire until probe: called
-A!
-B!
                                         go on`,
		Breaks: map[string]string{"double-array": "M2"},
	},
	{
		// The moment that is remembered for a half must be from after the publish that
		// replaces it.
		Name: "un-A1, a grace period before the publish",
		Script: `
updater                                  other        reader
with ABC
-A until unregister: before publish
                                         synchronize
                                                      fire until probe: called  // A, in half 0
go on
-B                                                                              // waits for it
                                                      go on`,
		Breaks: map[string]string{"double-array": "M2"},
	},
	{
		Name: "un-A2",
		Script: `
updater                                  reader
with AB
-A!                                                                      // no memory
synchronize
free A                                                                   // the error is ignored
                                         fire                            // A(freed)?`,
		Breaks: map[string]string{"fail": "M1"},
	},
	{
		Name: "un-A3",
		Script: `
updater                                  reader
with ABC
                                         fire until probe: called        // A
-B!
                                         go on                           // the stub, or B(d_B); C
synchronize
free B
                                         fire                            // never B`,
		Breaks: map[string]string{"fail": "M1"},
	},
	{
		Name: "un-A3, a reader at the array's end",
		Script: `
updater                                  reader
with AB
                                         fire until iterator: entered    // about to load the array
-B!
synchronize                                                              // waits for it
                                         go on
free B
                                         fire`,
		Breaks: map[string]string{"fail": "M1"},
	},
	{
		Name: "un-A3, and the next change",
		Script: `
updater                                  reader
with ABC
-B!
                                         fire until probe: called        // A, beside a dead entry
+D until unregister: before publish                                      // compaction
                                         go on
go on
                                         fire`,
		// fail's array still has B, which has not been freed.
	},
	{
		Name: "un-A3, a reader in a dying entry",
		Script: `
updater                                  reader
with ABC
                                         fire until probe: called        // A
                                         go on until probe: called       // B
-B!
synchronize                                                              // waits for the reader
free B
                                         go on                           // C
go on                                                                    // frees B
                                         fire`,
		Breaks: map[string]string{"fail": "M1"},
	},
}

// If this fails, an interleaving does not break the variant that it must break, every time; or
// it breaks a sound one.
func TestReplay(t *testing.T) {
	for _, flavour := range []string{"memb", "qsbr"} {
		t.Run(flavour, func(t *testing.T) {
			play := func(t *testing.T, r judge.Replay, v Variant) (found string, trace []string) {
				mistake, trace := perform(newBench(t, v, flavour, 0), r.Script)
				found, _, _ = strings.Cut(mistake, ":")
				return found, append(trace, "the mistake: "+mistake)
			}
			judge.Replays(t, "unregister", Variants(), 20, replays, play)
		})
	}
}

// perform plays a script. It returns the first mistake, or "", and a trace of what happened.
func perform(b *bench, script string) (mistake string, trace []string) {
	b.Helper()
	wrong := func(what string) { mistake = cmp.Or(mistake, what) }
	var fired []string
	var stays []string
	actions := map[string]func(){
		"synchronize": b.point.Synchronize,
		"fire": func() {
			calls := event.Pass(b.domain, b.point.Fire)
			fired = append(fired, fmt.Sprint("called: ", calls))
			wrong(event.Mistake(calls, stays, "M3", "M2"))
		},
	}
	for _, start := range []string{"AB", "ABC"} {
		actions["with "+start] = func() {
			for i := range start {
				b.add(i)
			}
			stays = event.Stays(start, script)
		}
	}
	for i, d := range b.data {
		actions["+"+d.Name] = func() { b.add(i) }
		actions["-"+d.Name] = func() { b.remove(i, true) }
		actions["-"+d.Name+"!"] = func() { b.remove(i, false) }
		actions["free "+d.Name] = func() {
			d.Do = func() { wrong("M1: " + d.Name + " was called after it was freed") }
		}
	}
	trace, err := step.Play(script, actions)
	judge.Check(b, err)
	b.point.FailAfter(-1)
	if err := b.point.Unregister(b.probes[stays[0][0]-'A']); err != nil {
		wrong("M4: " + err.Error())
	}
	b.domain.Barrier()
	if arrays, _ := b.point.Held(); arrays != min(1, len(b.point.live())) {
		wrong(fmt.Sprintf("M5: %d arrays are held with %d probes", arrays, len(b.point.live())))
	}
	return mistake, append(trace, fired...)
}
