//go:build steps

package rcu

import (
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// A stage is what a script is played on: an object that the updater frees, a reader that uses
// the object, and a holder, another reader, which holds grace periods open. One column runs at a
// time, so nothing here has to be atomic.
type stage struct {
	domain         *Domain
	holder, reader *Reader
	freed          bool
	state          State // taken inside the reader's section

	// What the reader found at the end of its section.
	sawFreed, sawEarly bool
}

// actions returns what the cells of scripts do.
func (s *stage) actions() map[string]func() {
	d := s.domain
	enter := func(r *Reader) func() {
		return func() {
			r.Quiescent() // grace periods of qsbr wait for it
			r.Lock()
		}
	}
	leave := func(r *Reader) func() {
		return func() {
			r.Unlock()
			r.Unregister() // no later grace period of qsbr waits for this reader
		}
	}
	take := func() { s.state = d.GetState() }
	free := func() { s.freed = true }
	return map[string]func(){
		"Synchronize":          d.Synchronize,
		"holder enters":        enter(s.holder),
		"holder leaves":        leave(s.holder),
		"goes idle":            s.reader.EnterIdle,
		"enter, load":          enter(s.reader),
		"GetState":             take,
		"use, leave":           func() { s.use(); leave(s.reader)() },
		"unpublish, GetState":  take,
		"CondSync, free":       func() { d.CondSync(s.state); free() },
		"unpublish, wait":      func() { d.Synchronize(); free() },
		"unpublish, Call free": func() { d.Call(free) },
		"Barrier":              d.Barrier,
	}
}

// use checks at the end of the reader's section that the grace period waits for it.
func (s *stage) use() {
	s.sawFreed = s.freed
	s.sawEarly = s.state != 0 && s.domain.Poll(s.state)
}

const (
	freed = "G1: its object freed"
	early = "G2: a state from inside its section satisfied"
	both  = freed + ", " + early
)

func (s *stage) String() string {
	var found []string
	if s.sawFreed {
		found = append(found, freed)
	}
	if s.sawEarly {
		found = append(found, early)
	}
	return strings.Join(found, ", ")
}

// underWay is rcu-V9 of docs/interleavings.md for each way to wait. A grace period is under way
// (column gp). It began before the reader's section, so it need not wait for the reader; the
// holder's section keeps it open. In the middle of it the updater unpublishes and begins to wait.
// A Synchronize then waits in line.
var underWay = []judge.Replay{
	{Name: "rcu-V9: CondSync", Script: `
gp              holder           updater                reader
                holder enters
Synchronize     //                                                     waits for the holder
                                                        enter, load
                                 unpublish, GetState
                holder leaves
go on           //                                                     ends
                                 CondSync, free
                                                        use, leave
`, Breaks: map[string]string{"snap-in-progress": both, "no-wait": both, "rude-by-signal": both}},
	{Name: "rcu-V9: CondSync, without a holder", Script: `
gp                               updater                reader
Synchronize until rcu: begun
                                                        enter, load
                                 unpublish, GetState
go on           //                                                     ends
                                 CondSync, free
                                                        use, leave
`, Breaks: map[string]string{"snap-in-progress": both, "no-wait": both, "rude-by-signal": both}},
	{Name: "rcu-V9: CondSync, before the counter changes", Script: `
gp                               updater                reader
Synchronize until rcu: under way
                                                        enter, load
                                 unpublish, GetState
go on           //                                                     changes the counter, waits for the reader
                                 CondSync, free
                                                        use, leave
`, Breaks: map[string]string{"no-wait": both, "rude-by-signal": both}},
	{Name: "rcu-V9: Synchronize", Script: `
gp              holder           updater                reader
                holder enters
Synchronize     //                                                     waits for the holder
                                                        enter, load
                                 unpublish, wait        //             in line
                holder leaves
go on           //                                                     ends
                                 go on                  //             frees
                                                        use, leave
`, Breaks: map[string]string{"snap-in-progress": freed, "no-wait": freed, "rude-by-signal": freed}},
	{Name: "rcu-V9: Call", Script: `
gp              holder           updater                reader
                holder enters
Synchronize     //                                                     waits for the holder
                                                        enter, load
                                 unpublish, Call free
                holder leaves
go on           //                                                     ends
                                 Barrier                //             frees
                                                        use, leave
`, Breaks: map[string]string{"snap-in-progress": freed, "no-wait": freed, "rude-by-signal": freed}},
	{Name: "rcu-V9: the reader's own state", Script: `
gp              holder                                  reader
                holder enters
Synchronize     //                                                     waits for the holder
                                                        enter, load
                                                        GetState
                holder leaves
go on           //                                                     ends
                                                        use, leave
`, Breaks: map[string]string{"snap-in-progress": early}},
}

// alone is a single grace period. For rude-by-signal it is rcu-L2: the work item runs on the
// reader's CPU, but that CPU does not switch context and is still in the section.
var alone = judge.Replay{Name: "rcu-L2 and no-wait", Script: `
updater                reader
                       enter, load
unpublish, wait
                       use, leave
`, Breaks: map[string]string{
	"no-wait":        freed,
	"rude-by-signal": freed,

	// What it breaks is the order in which stores leave a CPU. No schedule point can hold a
	// store back; only package torture's random attack shows it.
	"no-barrier": "",
}}

// idleReader is rcu-L1: a reader that vanilla RCU does not watch enters a section. In the last script,
// a reader of SRCU stops between the index and the count for a whole grace period. Its section is
// then counted under an index that the next grace period sums up before its flip only.
func idleReader() []judge.Replay {
	return []judge.Replay{
		{Name: "rcu-L1: Synchronize", Script: `
updater                reader
                       goes idle
                       enter, load
unpublish, wait
                       use, leave
`, Breaks: map[string]string{"no-wait": freed, "rude-by-signal": freed}, Documented: unwatched(freed)},
		{Name: "rcu-L1: CondSync", Script: `
gp              updater                reader
                                       goes idle
                                       enter, load
                unpublish, GetState
Synchronize
                CondSync, free
                                       use, leave
`, Breaks: map[string]string{"no-wait": both, "rude-by-signal": both}, Documented: unwatched(both)},
		{Name: "SRCU's first sum", Script: `
gp              updater                reader
                                       goes idle
                                       enter, load until rcu: index taken
Synchronize
                                       go on
                unpublish, wait
                                       use, leave
`, Breaks: map[string]string{"no-wait": freed, "rude-by-signal": freed, "srcu-one-sum": freed}, Documented: unwatched(freed)},
	}
}

// If this fails, a script no longer breaks a flavour that it is drawn for; or a grace period of a
// sound flavour does not wait for a reader that it has to wait for, or a state is satisfied too
// early; or a flavour that models vanilla RCU waits for an idle reader.
func TestReplay(t *testing.T) {
	all := slices.Concat(underWay, []judge.Replay{alone}, idleReader())
	judge.Replays(t, "rcu", Variants(), 100, all, func(t *testing.T, r judge.Replay, v Variant) (found string, trace []string) {
		d := v.New(Options{Lazy: OnlyBarrier, Pace: 1})
		defer d.Close()
		s := &stage{domain: d, holder: d.Register(), reader: d.Register()}
		if !strings.Contains(r.Script, "holder") {
			s.holder.Unregister()
		}
		trace, err := step.Play(r.Script, s.actions())
		if err != nil {
			t.Fatalf("%v\n%s", err, r.Script)
		}
		return s.String(), trace
	})
}

// unwatched maps the flavours that do not watch idle readers to found.
func unwatched(found string) map[string]string {
	list := map[string]string{}
	for _, v := range Variants() {
		if v.Supported() != nil {
			continue
		}
		d := v.New(Options{Lazy: OnlyBarrier})
		if !d.WatchesIdle() {
			list[v.Name] = found
		}
		d.Close()
	}
	return list
}
