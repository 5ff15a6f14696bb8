//go:build steps

package rcu

import (
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// A stage is what a script is played on: one object that an updater frees, a reader that
// uses it, and another that holds grace periods open. One column runs at a time, so
// that nothing here need be atomic.
type stage struct {
	domain         *Domain
	holder, reader *Reader
	freed          bool
	cookie         State

	// What the reader found inside its section.
	sawFreed, sawEarly bool
}

// The words that scripts are made of.
func (s *stage) actions() map[string]func() {
	d := s.domain
	enter := func(r *Reader) func() {
		return func() {
			r.Quiescent() // which qsbr's grace periods want to hear between sections
			r.Lock()
		}
	}
	leave := func(r *Reader) func() {
		return func() {
			r.Unlock()
			r.Unregister() // no later grace period of qsbr's waits to hear from it
		}
	}
	free := func() { s.freed = true }
	return map[string]func(){
		"Synchronize":  d.Synchronize,
		"holder in":    enter(s.holder),
		"holder out":   leave(s.holder),
		"goes idle":    s.reader.EnterIdle,
		"in, look up":  enter(s.reader),
		"take cookie":  func() { s.cookie = d.GetState() },
		"look, out":    func() { s.look(); leave(s.reader)() },
		"unpublish":    func() { s.cookie = d.GetState() },
		"CondSync":     func() { d.CondSync(s.cookie); free() },
		"unpublish, S": func() { d.Synchronize(); free() },
		"unpublish, C": func() { d.Call(free) },
		"Barrier":      d.Barrier,
	}
}

// look is the oracle, at the end of the reader's section.
func (s *stage) look() {
	s.sawFreed = s.freed
	s.sawEarly = s.cookie != 0 && s.domain.Poll(s.cookie)
}

func (s *stage) String() string {
	var found []string
	if s.sawFreed {
		found = append(found, "G1: its object freed")
	}
	if s.sawEarly {
		found = append(found, "G2: a cookie from inside it satisfied")
	}
	return strings.Join(found, ", ")
}

// A replay is a script, and what the reader finds inside its section with the busted
// flavours that the script breaks. unwatched is what it finds with flavours that do not
// watch idle readers, as documented; "" if the reader is not idle.
type replay struct {
	name      string
	script    string
	breaks    map[string]string
	unwatched string
}

// v9 is rcu-V9 of docs/interleavings.md for each way to wait: a grace period is under way (gp)
// that began before the reader's section, and so need not wait for it; the holder's
// section keeps it open. In its middle the updater unpublishes, and its wait begins.
// A Synchronize that comes then stands in line.
var v9 = []replay{
	{"CondSync", `
gp              holder        updater         reader
                holder in
Synchronize     //                                          waits for the holder
                                              in, look up
                              unpublish       //            and takes the cookie
                holder out
go on           //                                          ends
                              CondSync        //            and frees
                                              look, out
`, map[string]string{
		"snap-in-progress": "G1: its object freed, G2: a cookie from inside it satisfied",
		"no-wait":          "G1: its object freed, G2: a cookie from inside it satisfied",
		"rude-by-signal":   "G1: its object freed, G2: a cookie from inside it satisfied",
	}, ""},
	{"CondSync, without a holder", `
gp                            updater         reader
Synchronize until rcu: begun
                                              in, look up
                              unpublish       //            and takes the cookie
go on           //                                          ends
                              CondSync        //            and frees
                                              look, out
`, map[string]string{
		"snap-in-progress": "G1: its object freed, G2: a cookie from inside it satisfied",
		"no-wait":          "G1: its object freed, G2: a cookie from inside it satisfied",
		"rude-by-signal":   "G1: its object freed, G2: a cookie from inside it satisfied",
	}, ""},
	{"CondSync, before the grace period begins in earnest", `
gp                            updater         reader
Synchronize until rcu: under way
                                              in, look up
                              unpublish       //            and takes the cookie
go on           //                                          U2, and waits for the reader
                              CondSync        //            and frees
                                              look, out
`, map[string]string{
		"no-wait":        "G1: its object freed, G2: a cookie from inside it satisfied",
		"rude-by-signal": "G1: its object freed, G2: a cookie from inside it satisfied",
	}, ""},
	{"Synchronize", `
gp              holder        updater         reader
                holder in
Synchronize     //                                          waits for the holder
                                              in, look up
                              unpublish, S    //            stands in line
                holder out
go on           //                                          ends
                              go on           //            and frees
                                              look, out
`, map[string]string{
		"snap-in-progress": "G1: its object freed",
		"no-wait":          "G1: its object freed",
		"rude-by-signal":   "G1: its object freed",
	}, ""},
	{"Call", `
gp              holder        updater         reader
                holder in
Synchronize     //                                          waits for the holder
                                              in, look up
                              unpublish, C
                holder out
go on           //                                          ends
                              Barrier         //            frees
                                              look, out
`, map[string]string{
		"snap-in-progress": "G1: its object freed",
		"no-wait":          "G1: its object freed",
		"rude-by-signal":   "G1: its object freed",
	}, ""},
	{"the reader's own cookie", `
gp              holder                        reader
                holder in
Synchronize     //                                          waits for the holder
                                              in, look up
                                              take cookie
                holder out
go on           //                                          ends
                                              look, out
`, map[string]string{
		"snap-in-progress": "G2: a cookie from inside it satisfied",
	}, ""},
}

// g1 needs no grace period under way. For rude-by-signal it is rcu-L2: a work item that
// runs without a switch of context finds the reader inside.
var g1 = []replay{
	{"Synchronize", `
updater         reader
                in, look up
unpublish, S
                look, out
`, map[string]string{
		"no-wait":        "G1: its object freed",
		"rude-by-signal": "G1: its object freed",
	}, ""},
}

// l1 is a reader that vanilla RCU does not watch, in a section all the same.
var l1 = []replay{
	{"Synchronize", `
updater         reader
                goes idle
                in, look up
unpublish, S
                look, out
`, map[string]string{
		"no-wait":        "G1: its object freed",
		"rude-by-signal": "G1: its object freed",
	}, "G1: its object freed"},
	{"a cookie", `
gp              updater         reader
                                goes idle
                                in, look up
                unpublish       //                          and takes the cookie
Synchronize
                CondSync        //                          and frees
                                look, out
`, map[string]string{
		"no-wait":        "G1: its object freed, G2: a cookie from inside it satisfied",
		"rude-by-signal": "G1: its object freed, G2: a cookie from inside it satisfied",
	}, "G1: its object freed, G2: a cookie from inside it satisfied"},
}

// s1 is a reader of SRCU that is held up between the index and the count, for a whole
// grace period. Its section is then counted where the next flip does not look.
var s1 = []replay{
	{"Synchronize", `
gp              updater         reader
                                goes idle
                                in, look up until rcu: index taken
Synchronize
                                go on
                unpublish, S
                                look, out
`, map[string]string{
		"no-wait":        "G1: its object freed",
		"rude-by-signal": "G1: its object freed",
		"srcu-one-sum":   "G1: its object freed",
	}, "G1: its object freed"},
}

// If this fails, a flavour that watches idle readers overlooks one, or one that stands for
// vanilla RCU does not.
func TestReplayL1(t *testing.T) { play(t, l1) }

// If this fails, SRCU's first sum is missing.
func TestReplayS1(t *testing.T) { play(t, s1) }

// If this fails, a snapshot is satisfied by a grace period that was under way when it was
// taken; or, for snap-in-progress, the script has lost its point.
func TestReplayV9(t *testing.T) { play(t, v9) }

// If this fails, a grace period does not wait for a reader that it has to wait for; or,
// for no-wait, the script has lost its point.
func TestReplayG1(t *testing.T) { play(t, g1) }

// play performs every script with every flavour, again and again: it must always end
// the same way. The scripts hold with no-barrier: what that breaks is the order in
// which stores leave a CPU, and no schedule point can hold one back. Only package
// torture's random attack shows it.
func play(t *testing.T, replays []replay) {
	for _, p := range replays {
		t.Run(p.name, func(t *testing.T) {
			t.Log(p.script)
			for _, v := range Variants() {
				t.Run(v.Name, func(t *testing.T) {
					judge.Need(t, v.Supported(), "rcu", v.Name)
					times := 100
					switch v.Name {
					case "rude":
						times = 10 // of milliseconds
					case "kernelgp", "chain":
						times = 3 // of tens of milliseconds
					}
					for i := range times {
						found, trace := p.play(t, v)
						want := p.breaks[v.Name]
						if unwatched(v) && want == "" {
							want = p.unwatched
						}
						if found != want {
							t.Fatalf("time %d: the reader found %q inside its section, want %q\n%s\n%s",
								i, found, want, p.script, strings.Join(trace, "\n"))
						}
					}
				})
			}
		})
	}
	for _, p := range replays {
		for name := range p.breaks {
			if v, err := impls.Find("flavour", Variants(), name); err != nil || v.Status == impls.Sound {
				t.Errorf("%s: breaks %s, of which there is no busted one", p.name, name)
			}
		}
	}
}

// unwatched reports whether the flavour takes idle readers for quiescent.
func unwatched(v Variant) bool {
	d := v.New(Options{Lazy: OnlyBarrier})
	defer d.Close()
	return !d.WatchesIdle()
}

func (p replay) play(t *testing.T, v Variant) (found string, trace []string) {
	d := v.New(Options{Lazy: OnlyBarrier, Pace: 1})
	defer d.Close()
	s := &stage{domain: d, holder: d.Register(), reader: d.Register()}
	if !strings.Contains(p.script, "holder") {
		s.holder.Unregister()
	}
	trace, err := step.Play(p.script, s.actions())
	if err != nil {
		t.Fatalf("%v\n%s", err, p.script)
	}
	return s.String(), trace
}
