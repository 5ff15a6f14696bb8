package textpoke_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A model is what patching promises, without a way to do it: which instruction each site is.
type model map[*textpoke.Site]textpoke.Insn

// apply makes the changes. It returns how many sites change that lie in one aligned word, and how
// many that lie across two. If a patcher must return an error for the changes, apply makes none and
// returns false.
func (m model) apply(changes []textpoke.Change) (inWord, across uint64, ok bool) {
	seen := map[*textpoke.Site]bool{}
	for _, c := range changes {
		was, known := m[c.Site]
		if !known || seen[c.Site] {
			return 0, 0, false
		}
		seen[c.Site] = true
		distance := int64(c.To.Target()) - int64(c.Site.PC()+textpoke.Size)
		switch {
		case c.To == was:
		case c.To != textpoke.Nop && distance != int64(int32(distance)):
			return 0, 0, false
		case inOneWord(c.Site):
			inWord++
		default:
			across++
		}
	}
	for _, c := range changes {
		m[c.Site] = c.To
	}
	return inWord, across, true
}

// A subject is a patcher, the sites, and the model of them.
type subject struct {
	name  string // the patcher's
	patch textpoke.Patcher
	sites []*testSite
	model model
}

// costs is what the patcher counts for a batch that changes so many sites in one word, and so many
// across two; or false if this is not known of the patcher. For Holds see TestP1StopHoldsEveryThread.
func (s *subject) costs(inWord, across uint64) (c textpoke.Counters, known bool) {
	if inWord+across == 0 {
		return c, true
	}
	c.Batches = 1
	switch s.name {
	case "int3":
		c.Batches = inWord + across
		c.Syncs = 3 * c.Batches
	case "int3-batch":
		c.Syncs = 3
	case "aligned-store":
		c.Stores = inWord
		c.Syncs = min(inWord, 1) + 3*min(across, 1)
	case "stop-readers":
		c.Syncs = 1
	default:
		return c, false
	}
	return c, true
}

// patched gives the changes to the patcher and to the model, and compares the error, the counters
// and every site, as a thread finds it that begins later (P2).
func (s *subject) patched(t *testing.T, changes ...textpoke.Change) {
	t.Helper()
	before := textpoke.Totals()
	err := s.patch(changes)
	inWord, across, ok := s.model.apply(changes)
	if (err == nil) != ok {
		t.Errorf("%d changes: error %v; must be an error: %v", len(changes), err, !ok)
	}
	var later sync.WaitGroup
	later.Go(func() {
		for _, site := range s.sites {
			site.is(t, s.model[site.Site])
		}
	})
	later.Wait()
	got := since(before)
	got.Holds = 0
	want, known := s.costs(inWord, across)
	if !known && got.Batches >= 1 && got.Batches <= inWord+across && got.Syncs > 0 {
		return
	}
	if got != want {
		t.Fatalf("%d sites changed in one word and %d across two: counted %+v, want %+v", inWord, across, got, want)
	}
}

// since is how much the counters have grown.
func since(before textpoke.Counters) textpoke.Counters {
	now := textpoke.Totals()
	return textpoke.Counters{
		Batches: now.Batches - before.Batches,
		Syncs:   now.Syncs - before.Syncs,
		Traps:   now.Traps - before.Traps,
		Stores:  now.Stores - before.Stores,
		Holds:   now.Holds - before.Holds,
	}
}

// followsModel makes random batches of all sizes. Some change nothing, some change only a part of
// their sites, and some have a bad change.
func followsModel(t *testing.T, s *subject) {
	rnd := judge.Rand(t)
	for range 300 {
		changes := make([]textpoke.Change, 0, len(s.sites)+1)
		for _, i := range rnd.Perm(len(s.sites))[:rnd.IntN(1+len(s.sites)>>rnd.IntN(6))] {
			site := s.sites[i]
			changes = append(changes, site.to(rnd.IntN(len(site.insns))))
		}
		if rnd.IntN(5) == 0 {
			bad := s.bad(changes)
			changes = append(changes, bad[rnd.IntN(len(bad))].change)
			i, last := rnd.IntN(len(changes)), len(changes)-1
			changes[i], changes[last] = changes[last], changes[i]
		}
		s.patched(t, changes...)
		if t.Failed() {
			t.Fatalf("after %v", changes)
		}
	}
}

// A patcher must return an error for a batch with a badChange in it, and change nothing.
type badChange struct {
	name   string
	change textpoke.Change
}

// bad returns bad changes to add to changes.
func (s *subject) bad(changes []textpoke.Change) []badChange {
	free := s.sites[0]
	for _, site := range s.sites {
		if !slices.ContainsFunc(changes, func(c textpoke.Change) bool { return c.Site == site.Site }) {
			free = site
		}
	}
	list := []badChange{
		{"no site", textpoke.Change{To: textpoke.Nop}},
		{"a site that is not registered", textpoke.Change{Site: new(textpoke.Site), To: textpoke.Call(64)}},
		{"a call out of reach", textpoke.Change{Site: free.Site, To: textpoke.Call(free.PC() + 1<<40)}},
		{"a jump out of reach", textpoke.Change{Site: free.Site, To: textpoke.Jump(free.PC() + textpoke.Size + 1<<31)}},
	}
	if len(changes) > 0 {
		list = append(list,
			badChange{"a site twice", textpoke.Change{Site: changes[0].Site, To: free.insns[callA]}},
			badChange{"a change twice", changes[0]})
	}
	return list
}
