//go:build steps

package uprobe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
)

// A replay is one interleaving of docs/interleavings.md: a script for package step, and
// what it comes to with the variants that it breaks. With all others it comes to nothing.
type replay struct {
	name   string
	script string
	breaks map[string]string

	least int // that the last hit to end must have called
}

// The uprobe of key 1 has one consumer, which the updater takes off.
var replays = []replay{
	{"up-U1 and up-U2", `
cpu0                                cpu1             updater
hit 1 until uprobe: pinned
                                                     off
go on until uprobe: put to zero                                    // count 0
                                    hit 1                          // 0, 1, 0: destroys it
go on                                                              // reads what is freed, or destroys it again
`, map[string]string{
		"epoch-eager": "freed uprobe read",
		"no-epoch":    "uprobe destroyed twice",
	}, 0},
	{"up-U5", `
cpu0                                cpu1             updater
hit 1 until uprobe: pinned
                                                     off
go on until uprobe: put to zero                                    // count 0
                                                     on            // 0, 1: with 7 hits and
                                    hit 1, 7 times                 // the removal 16 steps
                                                     other off     // of the epoch; destroys it
go on                                                              // destroys it again
`, map[string]string{
		"epoch-eager":  "freed uprobe read",
		"no-epoch":     "uprobe destroyed twice",
		"narrow-epoch": "uprobe destroyed twice",
	}, 0},
	{"up-U5, one hit short", `
cpu0                                cpu1             updater
hit 1 until uprobe: pinned
                                                     off
go on until uprobe: put to zero
                                                     on
                                    hit 1, 6 times
                                                     other off
go on
`, map[string]string{
		"epoch-eager": "freed uprobe read",
		"no-epoch":    "uprobe destroyed twice",
	}, 0},
	{"up-U3", `
updater                             other            cpu0
off until uprobe: put to zero
                                    on                             // finds the dying one
go on                                                              // erases it
                                                     hit 1         // the other's consumer is gone
`, map[string]string{
		"inc-from-zero": "B1: a hit on 1 called 0",
	}, 1},
}

// sections are for those who call consumers in a section. Others would wait for the rwsem,
// where no script can go on.
var sections = []replay{
	// The other consumer stands before the first in the list: a hit that has found it while
	// it is taken off goes on to the first.
	{"B1", `
updater                                  cpu0
on
                                         hit 1 until uprobe: consumer found
other off
                                         go on
`, nil, 2},
	{"B2", `
updater                                  cpu0
                                         hit 1 until uprobe: consumer found
off, Sync                                                          // waits for the hit
                                         go on
`, nil, 1},
	{"B3, a hit on the last one", `
updater                                  cpu0
                                         hit 1 until uprobe: pinned
off
Barrier                                                            // waits for the hit
                                         go on
`, nil, 0},
	{"B3, out of the tree by another", `
updater                        other            cpu0
                                                hit 1 until uprobe: pinned
off until uprobe: put to zero
                               on                                       // erases the dying one
go on
Barrier                                                                 // waits for the hit
                                                go on
`, nil, 0},
	{"B3, out of the tree before the grace period", `
updater                                  gp                        cpu0
off until uprobe: to be freed
                                         Barrier
                                                                   hit 1
go on
`, nil, 0},
}

// u4 is for those who search without the lock; others would wait for it.
var u4 = replay{"up-U4", `
updater                                  cpu0
other off until uprobe: a branch is missing
                                         hit 1                     // which is in that branch
go on
`, map[string]string{
	"no-retry": "B1: a hit on 1 called 0",
}, 1}

// If this fails, the interleaving of that name no longer breaks the variants that are named
// after it, every time; or it breaks one that is sound.
func TestReplay(t *testing.T) {
	for _, r := range replays {
		for _, v := range Variants() {
			t.Run(strings.ReplaceAll(r.name, " ", "_")+"/"+v.Name, func(t *testing.T) {
				for range 50 {
					found, trace := r.play(t, v, Key{2, 2})
					if want := r.breaks[v.Name]; found != want {
						t.Fatalf("found %q, want %q\n%s\n%s", found, want, r.script, strings.Join(trace, "\n"))
					}
				}
			})
		}
	}
}

// If this fails, what one CPU does under another's hit makes that overlook a consumer, call
// one after Sync, or read what is freed.
func TestReplaySections(t *testing.T) {
	for _, r := range sections {
		for _, v := range impls.OnlySound(Variants()) {
			if !v.New.Sections {
				continue
			}
			t.Run(strings.ReplaceAll(r.name, " ", "_")+"/"+v.Name, func(t *testing.T) {
				for range 50 {
					if found, trace := r.play(t, v, Key{2, 2}); found != "" {
						t.Fatalf("found %q\n%s\n%s", found, r.script, strings.Join(trace, "\n"))
					}
				}
			})
		}
	}
}

// If this fails, a search believes that what it missed during a rotation is not there; or,
// for no-retry, no rotation takes key 1's branch away any more.
func TestReplayU4(t *testing.T) {
	for _, v := range Variants() {
		if !v.New.Sections {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			missed := 0
			for i := range uint64(200) {
				found, trace := u4.play(t, v, Key{3, i})
				if found != "" {
					missed++
				}
				if found != "" && found != u4.breaks[v.Name] {
					t.Fatalf("found %q\n%s", found, strings.Join(trace, "\n"))
				}
			}
			if (missed > 0) != (u4.breaks[v.Name] != "") {
				t.Errorf("%d of 200 searches missed", missed)
			}
		})
	}
}

// play performs the script once and returns what went wrong. up-U4 has the other consumer on
// the key before.
func (r replay) play(t *testing.T, v Variant, key Key) (found string, trace []string) {
	t.Helper()
	table, d := newTable(t, v)
	one := Key{1, 1}
	first, other := counting(), counting()
	synced, late := false, false
	first.Handler = func(*Consumer, *Hitter) { late = late || synced }
	judge.Check(t, table.Register(one, first))
	for i := range uint64(8) {
		judge.Check(t, table.Register(Key{4, i}, counting()))
	}
	if r.name == "up-U4" {
		judge.Check(t, table.Register(key, other))
	}
	called := -1
	hit := func(times int) func() {
		return func() {
			h := table.NewHitter()
			defer h.Close()
			for range times {
				called = h.Hit(one)
			}
		}
	}
	actions := map[string]func(){
		"off": func() { judge.Check(t, table.UnregisterNosync(first)) },
		"off, Sync": func() {
			judge.Check(t, table.Unregister(first))
			synced = true
		},
		"Barrier":        d.Barrier,
		"on":             func() { judge.Check(t, table.Register(one, other)) },
		"other off":      func() { judge.Check(t, table.UnregisterNosync(other)) },
		"hit 1":          hit(1),
		"hit 1, 6 times": hit(6),
		"hit 1, 7 times": hit(7),
	}
	trace, err := step.Play(r.script, actions)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.script)
	}
	counts, any := table.Warnings()
	switch {
	case any:
		for w, n := range counts {
			if n > 0 {
				return Warning(w).String(), trace
			}
		}
	case called < r.least:
		return fmt.Sprint("B1: a hit on 1 called ", called), trace
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
