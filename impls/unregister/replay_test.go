//go:build steps && linux && amd64

package unregister

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// A replay is one interleaving of docs/interleavings.md as a script for package step. Every
// variant plays the same script. Its actions are "+A"; "-A", removal of a probe with memory,
// and "-A!", without; "synchronize"; "free A", which poisons its data; and "fire".
type replay struct {
	name   string // "un-A1"
	start  int    // the probes before: A, B, ...
	script string
	stays  string // the probes that every firing must call
	breaks string // the variant that must fail. A sound variant never does.
	by     string // the invariant that it breaks
}

var replays = []replay{
	{
		name: "un-A1", start: 3, stays: "C",
		script: `
updater                                  reader
                                         fire until probe: called        // A, in half 0
-A                                                                       // half 1 = {B, C}
-B                                                                       // half 0 = {C}
                                         go on                           // p[1] is the end?`,
		breaks: "double-array", by: "M2",
	},
	{
		name: "un-A1 without memory", start: 3, stays: "C",
		script: `
updater                                  reader
                                         fire until probe: called
-A!
-B!
                                         go on`,
		breaks: "double-array", by: "M2",
	},
	{
		// The moment that is remembered for a half must be from after the publish that
		// replaces it.
		name: "un-A1, a grace period before the publish", start: 3, stays: "C",
		script: `
updater                                  other        reader
-A until unregister: before publish
                                         synchronize
                                                      fire until probe: called  // A, in half 0
go on
-B                                                                              // waits for it
                                                      go on`,
		breaks: "double-array", by: "M2",
	},
	{
		name: "un-A2", start: 2, stays: "B",
		script: `
updater                                  reader
-A!                                                                      // no memory
synchronize
free A                                                                   // the error is ignored
                                         fire                            // A(freed)?`,
		breaks: "fail", by: "M1",
	},
	{
		name: "un-A3", start: 3, stays: "AC",
		script: `
updater                                  reader
                                         fire until probe: called        // A
-B!
                                         go on                           // the stub, or B(d_B); C
synchronize
free B
                                         fire                            // never B`,
		breaks: "fail", by: "M1",
	},
	{
		name: "un-A3, a reader at the array's end", start: 2, stays: "A",
		script: `
updater                                  reader
                                         fire until iterator: entered    // about to load the array
-B!
synchronize                                                              // waits for it
                                         go on
free B
                                         fire`,
		breaks: "fail", by: "M1",
	},
	{
		name: "un-A3, and the next change", start: 3, stays: "AC",
		script: `
updater                                  reader
-B!
                                         fire until probe: called        // A, beside a dead entry
+D until unregister: before publish                                      // compaction
                                         go on
go on
                                         fire`,
		// fail's array still has B, which has not been freed.
	},
	{
		name: "un-A3, a reader in a dying entry", start: 3, stays: "AC",
		script: `
updater                                  reader
                                         fire until probe: called        // A
                                         go on until probe: called       // B
-B!
synchronize                                                              // waits for the reader
free B
                                         go on                           // C
go on                                                                    // frees B
                                         fire`,
		breaks: "fail", by: "M1",
	},
}

// If this fails, an interleaving does not break the variant that it must break, every time; or
// it breaks a sound one.
func TestReplay(t *testing.T) {
	for _, r := range replays {
		for _, flavour := range []string{"memb", "qsbr"} {
			forEach(t, func(t *testing.T, v Variant) {
				if v.Status == impls.Busted && !slices.ContainsFunc(replays, func(r replay) bool { return r.breaks == v.Name }) {
					t.Skipf("no claim here about where %s fails", v.Name)
				}
				for range 20 {
					mistake, trace := r.play(newBench(t, v, flavour, r.start))
					want := ""
					if v.Name == r.breaks {
						want = r.by
					}
					if got, _, _ := strings.Cut(mistake, ":"); got != want {
						t.Fatalf("%s with %s: the mistake was %q, want %q:\n%s", r.name, flavour, mistake, want, strings.Join(trace, "\n"))
					}
				}
			})
		}
	}
}

// play plays the script. It returns the first mistake, or "", and a trace of what happened.
func (r replay) play(b *bench) (mistake string, trace []string) {
	b.Helper()
	type pass struct {
		calls []firing
		freed string // the probes whose data had been freed when it began
	}
	var passes []pass
	freed := ""
	actions := map[string]func(){
		"synchronize": b.point.Synchronize,
		"fire": func() {
			seen = nil
			p := pass{freed: freed}
			r := b.domain.Register()
			b.point.Fire(r)
			r.Unregister() // or a wait of the updater, by qsbr, would not end when the column has no more to do
			p.calls = seen
			passes = append(passes, p)
		},
	}
	for i := range b.probes {
		name := string(rune('A' + i))
		actions["+"+name] = func() { b.add(i) }
		actions["-"+name] = func() { b.remove(i, true) }
		actions["-"+name+"!"] = func() { b.remove(i, false) }
		actions["free "+name] = func() { *b.data[i] = datum{poison, -1}; freed += name }
	}
	trace, err := step.Play(r.script, actions)
	judge.Check(b, err)
	wrong := func(format string, args ...any) {
		if mistake == "" {
			mistake = fmt.Sprintf(format, args...)
		}
	}
	for _, p := range passes {
		trace = append(trace, fmt.Sprint("called: ", p.calls))
		for _, c := range p.calls {
			if c.data.magic != alive {
				wrong("M1: %v was called", c)
			} else if c.data.owner != c.fn {
				wrong("M3: %v was called", c)
			}
		}
		for _, name := range r.stays {
			if n := timesCalled(p.calls, name); n != 1 {
				wrong("M2: %c was called %d times", name, n)
			}
		}
		for _, name := range p.freed {
			if n := timesCalled(p.calls, name); n > 0 {
				wrong("M1: %c was called %d times after its grace period", name, n)
			}
		}
	}
	b.point.FailAfter(-1)
	if err := b.point.Unregister(b.probes[strings.IndexByte("ABCD", r.stays[0])]); err != nil {
		wrong("M4: %v", err)
	}
	b.domain.Barrier()
	if arrays, _ := b.point.Held(); arrays != min(1, len(b.point.live())) {
		wrong("M5: %d arrays are held with %d probes", arrays, len(b.point.live()))
	}
	return mistake, trace
}

// timesCalled counts the calls of a probe in one firing.
func timesCalled(calls []firing, name rune) int {
	return len(slices.DeleteFunc(slices.Clone(calls), func(c firing) bool { return 'A'+rune(c.fn) != name }))
}
