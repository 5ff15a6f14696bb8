package textpoke_test

import (
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A model is what patching promises, without a way to do it: which instruction each site is.
type model map[*textpoke.Site]textpoke.Insn

// apply makes the changes and returns how many sites they change. If a patcher must return an
// error for them, it makes none and returns false.
func (m model) apply(changes []textpoke.Change) (changed int, ok bool) {
	seen := map[*textpoke.Site]bool{}
	for _, c := range changes {
		was, known := m[c.Site]
		if !known || seen[c.Site] {
			return 0, false
		}
		seen[c.Site] = true
		if c.To == was {
			continue
		}
		distance := int64(c.To.Target()) - int64(c.Site.PC()+textpoke.Size)
		if c.To != textpoke.Nop && distance != int64(int32(distance)) {
			return 0, false
		}
		changed++
	}
	for _, c := range changes {
		m[c.Site] = c.To
	}
	return changed, true
}

// A subject is a patcher, the sites, and the model of them.
type subject struct {
	patch textpoke.Patcher
	sites []*testSite
	model model
}

// patched gives the changes to the patcher and to the model, and compares the error, the counters
// and every site.
func (s *subject) patched(t *testing.T, changes ...textpoke.Change) {
	t.Helper()
	before := textpoke.Totals()
	err := s.patch(changes)
	after := textpoke.Totals()
	changed, ok := s.model.apply(changes)
	if (err == nil) != ok {
		t.Errorf("%d changes: error %v; must be an error: %v", len(changes), err, !ok)
	}
	switch batches := after.Batches - before.Batches; {
	case changed == 0 && after != before:
		t.Errorf("nothing changed, and the counters went from %+v to %+v", before, after)
	case changed > 0 && (batches == 0 || batches > uint64(changed) || after.Syncs == before.Syncs):
		t.Errorf("%d sites changed, and the counters went from %+v to %+v", changed, before, after)
	}
	for _, site := range s.sites {
		site.is(t, s.model[site.Site])
	}
	if got := textpoke.Totals().Traps; got != before.Traps {
		t.Errorf("%d traps with no patch under way", got-before.Traps)
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
