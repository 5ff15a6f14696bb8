// The conformance tests are what every sound patcher must do, through the exported interface
// alone. A patcher is a variant: it changes sites, each of them five bytes of code that hold a NOP,
// a CALL or a JMP. It is compared with a model, a map from sites to instructions. No other thread
// executes a site while it is patched: that is for package torture and for replay_test.go. A busted
// patcher would pass; it must not run beside other tests, since some leave the process unusable.
package textpoke_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// If this fails, a sound patcher breaks a promise; the case says which.
func TestConformance(t *testing.T) {
	for _, v := range impls.OnlySound(textpoke.Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, v.Supported(), "textpoke", v.Name)
			judge.Run(t, cases, func(t *testing.T, test func(t *testing.T, s *subject)) {
				s := &subject{v.Name, v.New, testSites(t), model{}}
				for _, site := range s.sites {
					s.model[site.Site] = site.Insn()
				}
				s.patched(t, s.all(nop)...)
				test(t, s)
			})
		})
	}
}

// A case finds all sites NOPs.
var cases = []judge.Case[func(t *testing.T, s *subject)]{
	{
		Name:        "P1: every transition at every offset",
		Explanation: "If a site became another instruction than it was changed to, or a byte beside it changed, code would be destroyed.",
		Test:        everyTransition,
	},
	{
		Name:        "P1 P2 P5: batches follow the model",
		Explanation: "If a batch changed other sites than it names, or a thread that begins later found the old instruction, it would call what a grace period has freed; if batches or syncs were miscounted, benchmarks would explain costs by wrong counts.",
		Test:        followsModel,
	},
	{
		Name:        "P1: an error changes nothing",
		Explanation: "If an error left some sites changed, the caller could not tell what executes; if a batch could have a site twice, the site would get the head of one instruction and the tail of the other.",
		Test:        badChanges,
	},
	{
		Name:        "P3: a late trap",
		Explanation: "If a thread traps during a patch and reaches the handler after it, and found no instruction or the old one there, it would die of SIGTRAP or begin the old instruction.",
		Test:        trapLate,
	},
	{
		Name:        "P3: the table knows before the int3 can be seen",
		Explanation: "If another thread could trap while the table has the old instruction, it would begin that while another thread already executes the new one.",
		Test:        tableFirst,
	},
}

// all changes every site to the instruction of that index.
func (s *subject) all(index int) []textpoke.Change {
	changes := make([]textpoke.Change, len(s.sites))
	for i, site := range s.sites {
		changes[i] = site.to(index)
	}
	return changes
}

func everyTransition(t *testing.T, s *subject) {
	for from := range results {
		for to := range results {
			if from == to {
				continue
			}
			s.patched(t, s.all(from)...)
			for _, site := range s.sites {
				s.patched(t, site.to(to))
			}
			s.patched(t, s.all(to)...) // changes nothing
		}
	}
}

func badChanges(t *testing.T, s *subject) {
	good := []textpoke.Change{s.sites[3].to(callA), s.sites[60].to(jumpA)} // in a word, and across two
	for _, bad := range s.bad(good) {
		t.Run(bad.name, func(t *testing.T) {
			s.patched(t, good[0], good[1], bad.change)
			s.patched(t, good[0], bad.change, good[1])
			s.patched(t, bad.change, good[0], good[1])
			if s.model[good[0].Site] != textpoke.Nop {
				t.Error("the model has made the changes")
			}
		})
	}
}

// trapLate puts an int3 over sites that are not being patched.
func trapLate(t *testing.T, s *subject) {
	const times = 3
	for index := range results {
		s.patched(t, s.all(index)...)
		for _, site := range s.sites {
			text := textpoke.Text(site.PC(), 1)
			head, traps := text[0], textpoke.Totals().Traps
			text[0] = opInt3
			for range times {
				if got, want := site.run(), results[index]; got != want {
					t.Errorf("offset %d: a late trap returned %#x, want %#x", site.PC()%64, got, want)
				}
			}
			text[0] = head
			if got := textpoke.Totals().Traps - traps; got != times {
				t.Errorf("offset %d: %d traps counted of %d", site.PC()%64, got, times)
			}
		}
	}
}

// tableFirst: the table of sites has the new instruction before the code has the int3, because
// the trap handler looks there. A second thread reads the site's first byte without executing it.
// When it finds an int3 it reads the table (Insn), and compares, if no other patch has begun meanwhile.
func tableFirst(t *testing.T, s *subject) {
	site := testSiteInWord(t)
	var announced atomic.Int64 // the number of the patch under way

	// to is the index of the instruction that a patch writes.
	to := func(patch int64) int { return int(patch) % len(site.insns) }
	var stop atomic.Bool
	var watcher sync.WaitGroup
	watcher.Go(func() {
		text := textpoke.Text(site.PC(), 1)
		for !stop.Load() {
			before := announced.Load()
			if text[0] != opInt3 {
				continue
			}
			insn := site.Insn()
			if announced.Load() == before && insn != site.insns[to(before)] {
				t.Errorf("with an int3 in the text, the table has %v, not %v", insn, site.insns[to(before)])
			}
		}
	})
	for patch := range int64(2000) {
		announced.Store(patch)
		site.patch(t, s.patch, to(patch))
	}
	stop.Store(true)
	watcher.Wait()
}
