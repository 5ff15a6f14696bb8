//go:build steps && linux && amd64

package textpoke_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// If this fails, a patcher writes in another order than the protocol's, or without a core sync
// between two writes. On a machine whose fetches are coherent nothing else shows it.
func TestP1OrderOfWritesAndSyncs(t *testing.T) {
	all := testSites(t)
	across := slices.IndexFunc(all, func(s *testSite) bool { return !inOneWord(s.Site) })
	sites := []*testSite{testSiteInWord(t), all[across]}
	// What is in the two sites at each sync, and at the end: see contents.
	want := map[string]string{
		"int3":          "io oo, in oo, nn oo, nn io, nn in, nn nn, nn nn",
		"int3-batch":    "io io, in in, nn nn, nn nn",
		"aligned-store": "nn oo, nn io, nn in, nn nn, nn nn",
	}
	for _, v := range impls.OnlySound(textpoke.Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, textpoke.Check(), "textpoke") // no thread executes the sites: any CPU will do
			holds := textpoke.Totals().Holds
			if looks := atSyncs(t, v, sites, nop, callA); want[v.Name] != "" && strings.Join(looks, ", ") != want[v.Name] {
				t.Errorf("at its syncs the sites were %q, want %q", looks, want[v.Name])
			}
			if textpoke.Totals().Holds > holds {
				t.Skip("it holds all other threads at its syncs, so none can look: see TestP1StopHoldsEveryThread")
			}
			for _, some := range [][]*testSite{sites, sites[:1], sites[1:]} {
				for _, c := range [][2]int{{nop, callA}, {callA, callB}, {callB, nop}} {
					looks := atSyncs(t, v, some, c[0], c[1])
					for i, s := range some {
						at := "oo"
						for _, look := range looks {
							next := strings.Fields(look)[i]
							if !inOneStep(at, next, inOneWord(s.Site)) {
								t.Errorf("from %v to %v, no sync between %q and %q at offset %d: %q",
									s.insns[c[0]], s.insns[c[1]], at, next, s.PC()%8, looks)
							}
							at = next
						}
						if last := len(looks) - 2; last < 0 || strings.HasPrefix(strings.Fields(looks[last])[i], "o") {
							t.Errorf("from %v to %v, no sync after the old one has ended at offset %d: %q", s.insns[c[0]], s.insns[c[1]], s.PC()%8, looks)
						}
					}
				}
			}
		})
	}
}

// inOneStep reports whether a site may change from at to next (see contents) without a sync in
// between: by an int3; by the tail after an int3; by the head before its own tail; or, in one
// aligned word, by one store.
func inOneStep(at, next string, word bool) bool {
	return at == next || word && next == "nn" ||
		slices.Contains([]string{"oo io", "io in", "in nn"}, at+" "+next)
}

// atSyncs changes the sites from one of their instructions to another. It returns their contents
// at each sync, and at the end.
func atSyncs(t *testing.T, v textpoke.Variant, sites []*testSite, from, to int) (looks []string) {
	t.Helper()
	var before, changes []textpoke.Change
	for _, s := range sites {
		before = append(before, s.to(from))
		changes = append(changes, s.to(to))
	}
	judge.Check(t, textpoke.Int3Batch(before))
	look := func() {
		var all []string
		for _, s := range sites {
			all = append(all, contents(s, from, to))
		}
		looks = append(looks, strings.Join(all, " "))
	}
	start := textpoke.Totals().Syncs
	seen := uint64(0)
	actions := map[string]func(){
		"change": func() { judge.Check(t, v.New(changes)) },
		"look": func() {
			if syncs := textpoke.Totals().Syncs - start; syncs > seen {
				seen++
				if syncs != seen {
					t.Errorf("%d syncs, and it stopped at %d of them", syncs, seen)
				}
				look()
			}
		},
	}
	const most = 10
	script := "updater                            observer\nchange until textpoke: synced\n" +
		strings.Repeat("                                   look\ngo on until textpoke: synced\n", most)
	_, err := step.Play(script, actions)
	judge.Check(t, err)
	look()
	return looks
}

// contents returns a letter for the site's head and one for its tail: "o" is the old instruction's,
// "n" the new one's, "i" an int3. A head that both have is as old as the tail.
func contents(s *testSite, from, to int) string {
	text, before, after := textpoke.Text(s.PC(), textpoke.Size), s.code(s.insns[from]), s.code(s.insns[to])
	head, tail := "?", "?"
	switch {
	case slices.Equal(text[1:], before[1:]):
		tail = "o"
	case slices.Equal(text[1:], after[1:]):
		tail = "n"
	}
	switch {
	case text[0] == opInt3:
		head = "i"
	case before[0] == after[0] && text[0] == after[0]:
		head = tail
	case text[0] == before[0]:
		head = "o"
	case text[0] == after[0]:
		head = "n"
	}
	return head + tail
}
