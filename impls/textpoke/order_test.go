//go:build steps && linux && amd64

package textpoke_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/implstest"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/textpoke/textpoketest"
)

// If this fails, a patcher writes without a sync of all cores before it goes on, or in another
// order than the protocol's. On a machine whose fetches are coherent nothing else shows it.
func TestP1OrderOfWritesAndSyncs(t *testing.T) {
	all := textpoketest.Sites(t)
	fits := slices.IndexFunc(all, func(s *textpoketest.Site) bool { return s.PC()%8 <= 3 })
	across := slices.IndexFunc(all, func(s *textpoketest.Site) bool { return s.PC()%8 > 3 })
	sites := []*textpoketest.Site{all[fits], all[across]}
	// What is in the two sites at each sync: a head and a tail each, old or new; "i" is an int3.
	want := map[string]string{
		"int3":          "io oo, in oo, nn oo, nn io, nn in, nn nn",
		"int3-batch":    "io io, in in, nn nn",
		"aligned-store": "nn oo, nn io, nn in, nn nn",
	}
	for _, v := range impls.OnlySound(textpoke.Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			if want[v.Name] == "" {
				t.Skip("no claim here; where stop-readers syncs, no column can look: TestP1StopHoldsEveryThread counts")
			}
			implstest.Need(t, textpoke.Check(), "textpoke") // nobody executes the sites: any CPU will do
			var off, on []textpoke.Change
			for _, s := range sites {
				off = append(off, textpoke.Change{Site: s.Site, To: s.Insns[0]})
				on = append(on, textpoke.Change{Site: s.Site, To: s.Insns[1]})
			}
			implstest.Check(t, textpoke.Int3Batch(off))
			before := textpoke.Totals().Syncs
			var got []string
			seen := uint64(0)
			actions := map[string]func(){
				"change": func() { implstest.Check(t, v.New(on)) },
				"look": func() {
					if syncs := textpoke.Totals().Syncs - before; syncs > seen {
						seen++
						if syncs != seen {
							t.Errorf("%d syncs, and it stopped at %d of them", syncs, seen)
						}
						got = append(got, contents(sites[0])+" "+contents(sites[1]))
					}
				},
			}
			const most = 10
			script := "updater                            observer\nchange until textpoke: synced\n" +
				strings.Repeat("                                   look\ngo on until textpoke: synced\n", most)
			trace, err := step.Play(script, actions)
			implstest.Check(t, err)
			if got := strings.Join(got, ", "); got != want[v.Name] {
				t.Errorf("at its syncs the sites were %q, want %q\n%s", got, want[v.Name], strings.Join(trace, "\n"))
			}
			implstest.Check(t, textpoke.Int3Batch(off))
		})
	}
}

// contents says whether a site's head and tail are those of its first instruction or of its
// second one.
func contents(s *textpoketest.Site) string {
	text, before, after := textpoke.Text(s.PC(), textpoke.Size), s.Code(s.Insns[0]), s.Code(s.Insns[1])
	head, tail := "?", "?"
	switch text[0] {
	case 0xCC:
		head = "i"
	case before[0]:
		head = "o"
	case after[0]:
		head = "n"
	}
	switch {
	case slices.Equal(text[1:], before[1:]):
		tail = "o"
	case slices.Equal(text[1:], after[1:]):
		tail = "n"
	}
	return head + tail
}
