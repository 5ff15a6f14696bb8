package textpoketest

import (
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A model is what patching promises, without a way to do it: what each site is.
type model map[*textpoke.Site]textpoke.Insn

// apply makes the changes and returns how many sites they change; or false, and makes
// none, if they must be refused.
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

// A subject is a patcher with its sites, and the model of them.
type subject struct {
	patch textpoke.Patcher
	sites []*Site
	model model
}

// patched gives the changes to both, and compares what they say, what is counted, and
// what every site is.
func (s *subject) patched(t *testing.T, changes ...textpoke.Change) {
	t.Helper()
	before := textpoke.Totals()
	err := s.patch(changes)
	after := textpoke.Totals()
	changed, ok := s.model.apply(changes)
	if (err == nil) != ok {
		t.Errorf("%d changes: error %v; must be refused: %v", len(changes), err, !ok)
	}
	switch batches := after.Batches - before.Batches; {
	case changed == 0 && after != before:
		t.Errorf("nothing changed, and the counters went from %+v to %+v", before, after)
	case changed > 0 && (batches == 0 || batches > uint64(changed) || after.Syncs == before.Syncs):
		t.Errorf("%d sites changed, and the counters went from %+v to %+v", changed, before, after)
	}
	for _, site := range s.sites {
		site.Is(t, s.model[site.Site])
	}
	if got := textpoke.Totals().Traps; got != before.Traps {
		t.Errorf("%d traps with no patch under way", got-before.Traps)
	}
}

// followsModel draws batches of all sizes, among them some that change nothing, or only
// some of their sites, and some that must be refused.
func followsModel(t *testing.T, s *subject) {
	rnd := judge.Rand(t)
	for range 300 {
		changes := make([]textpoke.Change, 0, len(s.sites)+1)
		for _, i := range rnd.Perm(len(s.sites))[:rnd.IntN(1+len(s.sites)>>rnd.IntN(6))] {
			site := s.sites[i]
			changes = append(changes, textpoke.Change{Site: site.Site, To: site.Insns[rnd.IntN(len(site.Insns))]})
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

// A badChange must be refused, with whatever others.
type badChange struct {
	name   string
	change textpoke.Change
}

// bad returns what must be refused beside changes.
func (s *subject) bad(changes []textpoke.Change) []badChange {
	free := s.sites[0]
	for _, site := range s.sites {
		used := false
		for _, c := range changes {
			used = used || c.Site == site.Site
		}
		if !used {
			free = site
		}
	}
	list := []badChange{
		{"no site", textpoke.Change{To: textpoke.Nop}},
		{"a site that nobody registered", textpoke.Change{Site: new(textpoke.Site), To: textpoke.Call(64)}},
		{"a call out of reach", textpoke.Change{Site: free.Site, To: textpoke.Call(free.PC() + 1<<40)}},
		{"a jump out of reach", textpoke.Change{Site: free.Site, To: textpoke.Jump(free.PC() + textpoke.Size + 1<<31)}},
	}
	if len(changes) > 0 {
		list = append(list,
			badChange{"a site twice", textpoke.Change{Site: changes[0].Site, To: free.Insns[1]}},
			badChange{"a change twice", changes[0]})
	}
	return list
}
