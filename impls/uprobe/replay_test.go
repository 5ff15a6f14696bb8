//go:build steps

package uprobe

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// The scripts of this file are the interleavings of docs/interleavings.md. In them the uprobe
// of key 1 has one consumer, the first. "off" removes it. "on" registers another one on key 1,
// and "other off" removes that. "hit 1, 2" is a hit on key 1 that must call at least two consumers.

const (
	readFreed      = "freed uprobe read"
	destroyedTwice = "uprobe destroyed twice"
	consumerMissed = "B1: a hit on 1 called 0, want at least 1"
)

// A variant that pins by reference may be stopped in these, since no column has to wait for it.
var replays = []judge.Replay{
	{Name: "up-U1 and up-U2", Script: `
cpu0                                cpu1             updater
hit 1 until uprobe: pinned
                                                     off
go on until uprobe: put to zero                                    // count 0
                                    hit 1                          // 0, 1, 0: destroys it
go on                                                              // reads freed memory, or destroys it again
`, Breaks: map[string]string{
		"epoch-eager": readFreed,
		"no-epoch":    destroyedTwice,
	}},
	{Name: "up-U5", Script: `
cpu0                                cpu1             updater
hit 1 until uprobe: pinned
                                                     off
go on until uprobe: put to zero                                    // count 0
                                                     on            // 0, 1: with 7 hits and
                                    hit 1, 7 times                 // the removal 16 steps
                                                     other off     // of the epoch; destroys it
go on                                                              // destroys it again
`, Breaks: map[string]string{
		"epoch-eager":  readFreed,
		"no-epoch":     destroyedTwice,
		"narrow-epoch": destroyedTwice,
	}},
	{Name: "up-U5, one hit fewer", Script: `
cpu0                                cpu1             updater
hit 1 until uprobe: pinned
                                                     off
go on until uprobe: put to zero
                                                     on
                                    hit 1, 6 times
                                                     other off
go on
`, Breaks: map[string]string{
		"epoch-eager": readFreed,
		"no-epoch":    destroyedTwice,
	}},
	{Name: "up-U3", Script: `
updater                             other            cpu0
off until uprobe: put to zero
                                    on                             // finds the dying uprobe
go on                                                              // erases it
                                                     hit 1, 1      // the consumer of other is lost
`, Breaks: map[string]string{
		"inc-from-zero": consumerMissed,
		"no-retry":      "", // up-U4 below
	}},
}

// If this fails, a script no longer breaks a variant that it is drawn for, or it breaks a sound
// one.
func TestReplay(t *testing.T) {
	judge.Replays(t, "uprobe", Variants(), 50, replays, play)
}

// sections are for variants whose hits pin by a read section. With the others a column would
// wait for the rwsem, outside any schedule point.
var sections = []judge.Replay{
	// The other consumer is before the first in the list. A hit that has found it while it is
	// removed continues with the first.
	{Name: "B1", Script: `
updater                                  cpu0
on
                                         hit 1, 2 until uprobe: consumer found
other off
                                         go on
`},
	{Name: "B2", Script: `
updater                                  cpu0
                                         hit 1, 1 until uprobe: consumer found
off, Sync                                                          // waits for the hit
                                         go on
`},
	{Name: "B3, a hit while the last consumer is removed", Script: `
updater                                  cpu0
                                         hit 1 until uprobe: pinned
off
Barrier                                                            // waits for the hit
                                         go on
`},
	{Name: "B3, another updater erases", Script: `
updater                        other            cpu0
                                                hit 1 until uprobe: pinned
off until uprobe: put to zero
                               on                                       // erases the dying uprobe
go on
Barrier                                                                 // waits for the hit
                                                go on
`},
	{Name: "B3, erased before the grace period", Script: `
updater                                  gp                        cpu0
off until uprobe: to be freed
                                         Barrier
                                                                   hit 1
go on
`},
}

// bySection returns the variants whose hits pin by a read section.
func bySection(variants []Variant) []Variant {
	return slices.DeleteFunc(variants, func(v Variant) bool { return !v.New.sections })
}

// If this fails, a hit misses a consumer, calls one after Sync, or reads freed memory, because
// of what another thread does meanwhile.
func TestReplaySections(t *testing.T) {
	judge.Replays(t, "uprobe", bySection(impls.OnlySound(Variants())), 50, sections, play)
}

// A variant that searches under the treelock would wait for the updater. "a branch" is the
// consumer of another key, which is registered before. Whether its removal rotates the branch of
// key 1 depends on that key.
var missedBranch = judge.Replay{Name: "up-U4", Script: `
updater                                  cpu0
a branch off until uprobe: a branch is missing
                                         hit 1, 1                  // key 1 may be in that branch
go on
`, Breaks: map[string]string{"no-retry": consumerMissed, "inc-from-zero": ""}}

// If this fails, a search does not recheck the sequence count after a miss during a rotation; or,
// for no-retry, no rotation makes the branch of key 1 unreachable any more.
func TestReplayMissedBranch(t *testing.T) {
	for _, v := range bySection(Variants()) {
		breaks, named := missedBranch.Breaks[v.Name]
		if v.Status == impls.Busted && !named {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			missed := 0
			for i := range uint64(200) {
				found, trace := playWith(t, missedBranch, v, Key{3, i})
				if found != "" && found != breaks {
					t.Fatalf("found %q\n%s", found, strings.Join(trace, "\n"))
				}
				if found != "" {
					missed++
				}
			}
			if (missed > 0) != (breaks != "") {
				t.Errorf("%d of 200 searches missed", missed)
			}
		})
	}
}

func play(t *testing.T, r judge.Replay, v Variant) (found string, trace []string) {
	return playWith(t, r, v, Key{3, 0})
}

// playWith performs the script once and returns what went wrong. branch is the key that has a
// consumer for "a branch off".
func playWith(t *testing.T, r judge.Replay, v Variant, branch Key) (found string, trace []string) {
	t.Helper()
	table, d := newTable(t, v)
	one := Key{1, 1}
	first, other, onBranch := counting(), counting(), counting()
	synced, late := false, false
	first.Handler = func(*Consumer, *Hitter) { late = late || synced }
	judge.Check(t, table.Register(one, first))
	for i := range uint64(8) {
		judge.Check(t, table.Register(Key{4, i}, counting()))
	}
	judge.Check(t, table.Register(branch, onBranch))
	hit := func(times, least int) func() {
		return func() {
			h := table.NewHitter()
			defer h.Close()
			for range times {
				if called := h.Hit(one); called < least {
					found = fmt.Sprintf("B1: a hit on 1 called %d, want at least %d", called, least)
				}
			}
		}
	}
	off := func(c *Consumer) func() { return func() { judge.Check(t, table.UnregisterNosync(c)) } }
	trace, err := step.Play(r.Script, map[string]func(){
		"off": off(first),
		"off, Sync": func() {
			judge.Check(t, table.Unregister(first))
			synced = true
		},
		"Barrier":        d.Barrier,
		"on":             func() { judge.Check(t, table.Register(one, other)) },
		"other off":      off(other),
		"a branch off":   off(onBranch),
		"hit 1":          hit(1, 0),
		"hit 1, 1":       hit(1, 1),
		"hit 1, 2":       hit(1, 2),
		"hit 1, 6 times": hit(6, 0),
		"hit 1, 7 times": hit(7, 0),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Script)
	}
	counts, any := table.Warnings()
	switch {
	case any:
		return Warning(slices.IndexFunc(counts[:], func(n uint64) bool { return n > 0 })).String(), trace
	case found != "":
		return found, trace
	case late:
		return "B2: a consumer was called after Sync", trace
	}
	d.Barrier()
	live, dead := count(table.tree.root.Load())
	if dead > 0 || live != table.InUse() {
		return fmt.Sprintf("B4, B5: the tree has %d uprobes, and %d that were destroyed; %d are in use", live, dead, table.InUse()), trace
	}
	return "", trace
}

// count counts the uprobes of a branch.
func count(u *Uprobe) (live, dead int) {
	if u == nil {
		return 0, 0
	}
	if u.dead.Load() {
		dead++
	} else {
		live++
	}
	for i := range u.child {
		l, d := count(u.child[i].Load())
		live, dead = live+l, dead+d
	}
	return live, dead
}
