// Package textpoke attacks the ways to patch text. A reader executes 64 sites in turn while an
// updater changes random ones to random instructions, one or many at once.
//
//   - A [site] is five bytes of code that are patched: a NOP, or a CALL or JMP to one of two
//     targets.
//   - A patcher is a way to patch: what package textpoke calls a variant.
//   - A state holds the instructions that an execution of a site may meet: the old and the new
//     one while a patch is under way, and one otherwise.
//
// The other words are those of package torture.
package textpoke

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/textsite"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/torture"
)

// Subjects lists the patchers.
func Subjects() []torture.Subject {
	return torture.Subjects("textpoke", textpoke.Variants(), attackPatcher)
}

// A site is one of package textsite, and its state.
type site struct {
	*textsite.Site
	now   int           // what it executes, by index; the updater's
	state atomic.Uint64 // see pack; written by the updater
	_     [64]byte
}

// pack is the state of a site that executes the old or the new instruction, by index. step is
// odd while a patch is under way. While it is even, old and new are the same.
func pack(step uint64, old, new int) uint64 { return step<<8 | uint64(old)<<4 | uint64(new) }

// brokenBy names the invariant that an execution broke, or returns "". got is its result;
// before and after are the states that the reader loaded before it and after.
//
// If the states are the same, the execution must be of one of their instructions. If one
// patch began or ended in between, it must be of one of either state's; if more than one did,
// of any.
func brokenBy(before, got, after uint64) (broken string) {
	switch {
	case allows(before, got) || allows(after, got):
		return ""
	case !slices.Contains(textsite.Results[:], got):
		return "P1"
	case before == after && before>>8%2 == 0:
		return "P2"
	case after>>8-before>>8 <= 1:
		return "P1"
	}
	return ""
}

// allows reports whether got is the result of one of a state's instructions.
func allows(state, got uint64) bool {
	return got == textsite.Results[state>>4&0xF] || got == textsite.Results[state&0xF]
}

func attackPatcher(a *torture.Attack, patch textpoke.Patcher) error {
	made, err := textsite.All()
	if err != nil {
		return err
	}
	sites := make([]*site, len(made))
	for i, m := range made {
		s := &site{Site: m, now: slices.Index(m.Insns[:], m.Insn())}
		s.state.Store(pack(0, s.now, s.now))
		sites[i] = s
	}
	return a.Launch(
		torture.Thread{CPU: 0, Run: func() error { return update(a, patch, sites) }},
		torture.Thread{CPU: 1, Run: func() error { return execute(a, sites) }, Interrupted: true},
	)
}

// execute is the reader: it executes all sites in turn and judges each execution.
//
//	CPU0, updater                        CPU1, reader
//	                                     before = state
//	state: old or new
//	patches                              executes: old, new or, wrongly, neither
//	state: new
//	                                     after = state
func execute(a *torture.Attack, sites []*site) error {
	const rounds = 64
	for !a.Over() {
		for range rounds {
			executeOnce(a, sites)
		}
		a.Passed(0, uint64(rounds*len(sites)))
	}
	return nil
}

// executeOnce is a function of its own because the collector can stop the reader in its
// prologue. A signal does not stop it: while sites trap, a signal arrives when the trap
// handler returns, and that is to mapped code, where Go stops no thread. The collector would
// wait for seconds if it has stopped the updater between int3s and heads.
//
//go:noinline
func executeOnce(a *torture.Attack, sites []*site) {
	for i, s := range sites {
		before := s.state.Load()
		got := s.Run()
		after := s.state.Load()
		if allows(before, got) {
			continue // nearly always
		}
		if broken := brokenBy(before, got, after); broken != "" {
			a.Fail("%s: the site at offset %d of a cache line executed %#x between states %#x and %#x", broken, i, got, before, after)
		}
	}
}

// update changes random sites, one or many at once, to random instructions.
func update(a *torture.Attack, patch textpoke.Patcher, sites []*site) error {
	rnd := a.Rand(0)
	for step := uint64(1); !a.Over(); step += 2 {
		batch := rnd.Perm(len(sites))[:1+rnd.IntN(1<<rnd.IntN(7))]
		changes := make([]textpoke.Change, len(batch))
		for i, n := range batch {
			s := sites[n]
			to := draw(rnd, s.now)
			changes[i] = textpoke.Change{Site: s.Site.Site, To: s.Insns[to]}
			s.state.Store(pack(step, s.now, to))
			s.now = to
		}
		if err := patch(changes); err != nil {
			return fmt.Errorf("patching %d sites: %w", len(changes), err)
		}
		for _, n := range batch {
			sites[n].state.Store(pack(step+1, sites[n].now, sites[n].now))
		}
		a.Changed(len(batch))
	}
	return nil
}

// draw returns the instruction that follows, by index. After a CALL or JMP every second one is a
// NOP, since the two have no byte in common.
func draw(rnd *rand.Rand, now int) int {
	if now != textsite.Nop && rnd.IntN(2) == 0 {
		return textsite.Nop
	}
	return rnd.IntN(len(textsite.Results))
}
