package textpoketest

import (
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A testCase is one promise, with what it would mean if it were broken. It finds all
// sites NOPs.
type testCase struct {
	name        string
	explanation string
	test        func(t *testing.T, s *subject)
}

// Run runs all cases against a patcher.
func Run(t *testing.T, v textpoke.Variant) {
	judge.Need(t, v.Supported(), "textpoke", v.Name)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log(c.explanation)
				}
			}()
			s := &subject{v.New, Sites(t), model{}}
			for _, site := range s.sites {
				s.model[site.Site] = site.Insn()
			}
			s.patched(t, s.all(0)...)
			c.test(t, s)
		})
	}
}

var cases = []testCase{
	{
		"P1: every transition at every offset",
		"If a site became anything but the instruction that it was told to be, or a byte beside it changed, code would be destroyed.",
		everyTransition,
	},
	{
		"P1: batches follow the model",
		"If a batch changed other sites than it names, or only some of them, or was counted when nothing changed, neither callers nor benchmarks could rely on it.",
		followsModel,
	},
	{
		"P1: no change",
		"If a change to what the site already is were made, a registry that says again what is so would pay for it, and threads would trap for nothing.",
		noChange,
	},
	{
		"P1: a refusal changes nothing",
		"If an error left some sites changed, the caller could not tell what executes; if a site twice in a batch were not refused, it would get the head of one instruction and the tail of the other.",
		refuses,
	},
	{
		"P2: a thread that comes later",
		"If a thread could begin the old instruction after Patch returned, a grace period would not wait for it, and the old target's data would be freed under it.",
		laterThread,
	},
	{
		"P3: a late trap",
		"If a thread that trapped during a patch and arrives after it found no instruction, or an old one, it would die of SIGTRAP, or begin what has ended.",
		lateTrap,
	},
	{
		"P3: the table knows before the int3 can be seen",
		"If another thread could trap while the table has the old instruction, it would begin that when the new one is already executed elsewhere.",
		tableFirst,
	},
	{
		"P5: what is done again is counted again",
		"If batches or syncs were miscounted, the benchmarks would explain costs by counts that were not.",
		countsAgain,
	},
}

// all changes every site to the instruction of that index.
func (s *subject) all(index int) []textpoke.Change {
	changes := make([]textpoke.Change, len(s.sites))
	for i, site := range s.sites {
		changes[i] = textpoke.Change{Site: site.Site, To: site.Insns[index]}
	}
	return changes
}

func everyTransition(t *testing.T, s *subject) {
	for from := range returns {
		for to := range returns {
			if from == to {
				continue
			}
			s.patched(t, s.all(from)...)
			for _, site := range s.sites {
				judge.Check(t, s.patch([]textpoke.Change{{Site: site.Site, To: site.Insns[to]}}))
				site.Is(t, site.Insns[to])
			}
			s.model.apply(s.all(to))
			s.patched(t) // nothing; looks at all of them
		}
	}
}

func noChange(t *testing.T, s *subject) {
	s.patched(t)
	for index := range returns {
		s.patched(t, s.all(index)...)
		s.patched(t, s.all(index)...)
		s.patched(t, s.all(index)[:1]...)
	}
}

func refuses(t *testing.T, s *subject) {
	good := []textpoke.Change{
		{Site: s.sites[3].Site, To: s.sites[3].Insns[1]},
		{Site: s.sites[60].Site, To: s.sites[60].Insns[3]},
	}
	for _, bad := range s.bad(good) {
		t.Run(bad.name, func(t *testing.T) {
			s.patched(t, good[0], good[1], bad.change)
			s.patched(t, good[0], bad.change, good[1])
			s.patched(t, bad.change, good[0], good[1])
			if s.model[good[0].Site] != textpoke.Nop {
				t.Error("the model refuses nothing")
			}
		})
	}
}

func laterThread(t *testing.T, s *subject) {
	for index := range returns {
		judge.Check(t, s.patch(s.all(index)))
		traps := textpoke.Totals().Traps
		done := make(chan bool)
		go func() {
			defer close(done)
			for _, site := range s.sites {
				site.Is(t, site.Insns[index])
			}
		}()
		<-done
		if got := textpoke.Totals().Traps; got != traps {
			t.Errorf("%d traps with no patch under way", got-traps)
		}
	}
}

// opInt3 is the one-byte trap.
const opInt3 = 0xCC

// lateTrap puts an int3 over sites at rest.
func lateTrap(t *testing.T, s *subject) {
	const times = 3
	for index := range returns {
		s.patched(t, s.all(index)...)
		for _, site := range s.sites {
			text := textpoke.Text(site.PC(), 1)
			head, traps := text[0], textpoke.Totals().Traps
			text[0] = opInt3
			for range times {
				if got, want := site.Run(), returns[index]; got != want {
					t.Errorf("offset %d: a late trap performed %#x, want %#x", site.PC()%64, got, want)
				}
			}
			text[0] = head
			if got := textpoke.Totals().Traps - traps; got != times {
				t.Errorf("offset %d: %d traps counted of %d", site.PC()%64, got, times)
			}
		}
	}
}

// countsAgain walks the same transitions twice.
func countsAgain(t *testing.T, s *subject) {
	for _, n := range []int{1, 2, len(s.sites)} {
		var batches, syncs [2]uint64
		for round := range batches {
			before := textpoke.Totals()
			for _, index := range []int{1, 4, 2, 0} {
				s.patched(t, s.all(index)[:n]...)
			}
			after := textpoke.Totals()
			batches[round], syncs[round] = after.Batches-before.Batches, after.Syncs-before.Syncs
		}
		if batches[0] != batches[1] || syncs[0] != syncs[1] {
			t.Errorf("%d sites: %v batches, %v syncs", n, batches, syncs)
		}
	}
}
