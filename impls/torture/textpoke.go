package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/textpoke"
)

func textpokeSubjects() []Subject {
	var list []Subject
	for _, v := range textpoke.Variants() {
		list = append(list, Subject{
			Family: "textpoke", Name: v.Name, Doc: v.Doc, Status: v.Status,
			Check:  v.Supported,
			Kills:  v.Status == impls.Busted,
			attack: func(a *attack) error { return attackPatcher(a, v.New) },
		})
	}
	return list
}

// A pokedSite is a little function around a site, made of bytes in mapped memory, whose
// result tells what it executed:
//
//	      XORL AX, AX
//	site: nop / call or jmp to one of its two targets
//	      ADDL $16, AX
//	      RET
//	A:    MOVL $1, AX
//	      RET
//	B:    MOVL $2, AX
//	      RET
//
// A thread that executes the head of one instruction with the tail of another must die of
// it, and not go on in silence. The targets lie so that the lowest byte of both
// displacements is 0x0B: 0F 0B, a NOP's head before their tail, is UD2. The head of a CALL
// or JMP before the NOP's tail goes 1.5 GB away, where nothing is mapped.
type pokedSite struct {
	*textpoke.Site
	run   func() uint64
	insns [5]textpoke.Insn

	// state is what the updater does to the site: see pack. Written by it alone.
	state atomic.Uint64
	_     [64]byte
}

// ran is what a pokedSite returns when it has executed the instruction of that index.
var ran = [5]uint64{0x10, 0x11, 0x12, 0x01, 0x02} // nop, call A, call B, jmp A, jmp B

// pack says that the site executes the old or the new instruction, by index, after that
// many steps of the updater: odd while a patch is under way; else even, and the same
// instruction twice.
func pack(step uint64, old, new int) uint64 { return step<<8 | uint64(old)<<4 | uint64(new) }

// brokenBy names the invariant that an execution broke which returned got between two
// looks at the state, or returns "".
//
// Between two equal states the execution was of one of their instructions. If a patch
// began or ended meanwhile, of one of either's; if more than one did, of any.
func brokenBy(before, got, after uint64) (broken string) {
	switch {
	case either(before, got) || either(after, got):
		return ""
	case !slices.Contains(ran[:], got):
		return "P1"
	case before == after && before>>8%2 == 0:
		return "P2"
	case after>>8-before>>8 <= 1:
		return "P1"
	}
	return ""
}

// either reports whether got is the result of one of a state's instructions.
func either(state, got uint64) bool {
	return got == ran[state>>4&0xF] || got == ran[state&0xF]
}

const (
	poked     = 64       // sites, each at another offset into a cache line
	pokedRoom = 4 * 256  // bytes for each
	pokedLow  = 0x0B     // the second byte of UD2
	pokedAt   = 256 + 64 // where the first one's site is in its room; the second's is one further
)

// pokedSites are made once: sites are for ever.
var pokedSites = sync.OnceValues(func() ([]*pokedSite, error) {
	text, err := textpoke.Map(poked * pokedRoom)
	if err != nil {
		return nil, err
	}
	base := addressOf(text)
	sites := make([]*pokedSite, poked)
	pcs := make([]uintptr, poked)
	for i := range sites {
		room, pc := text[i*pokedRoom:][:pokedRoom], base+uintptr(i*pokedRoom)
		at := pokedAt + i
		copy(room[at-2:], []byte{0x31, 0xC0, 0x0F, 0x1F, 0x44, 0x00, 0x5A, 0x83, 0xC0, 0x10, 0xC3})
		a := (at+textpoke.Size+pokedLow)%256 + 512
		b := a + 256
		copy(room[a:], []byte{0xB8, 1, 0, 0, 0, 0xC3})
		copy(room[b:], []byte{0xB8, 2, 0, 0, 0, 0xC3})
		pcs[i] = pc + uintptr(at)
		toA, toB := pc+uintptr(a), pc+uintptr(b)
		sites[i] = &pokedSite{
			run:   funcAt(pcs[i] - 2),
			insns: [5]textpoke.Insn{textpoke.Nop, textpoke.Call(toA), textpoke.Call(toB), textpoke.Jump(toA), textpoke.Jump(toB)},
		}
	}
	registered, err := textpoke.Register(pcs)
	if err != nil {
		return nil, err
	}
	for i, s := range registered {
		sites[i].Site = s
	}
	return sites, nil
})

func attackPatcher(a *attack, patch textpoke.Patcher) error {
	sites, err := pokedSites()
	if err != nil {
		return err
	}
	now := make([]int, len(sites)) // what each executes, by index
	for i, s := range sites {
		now[i] = slices.Index(s.insns[:], s.Insn())
		s.state.Store(pack(0, now[i], now[i]))
	}
	return a.launch(
		thread{0, func() error { return updateText(a, patch, sites, now) }},
		thread{1, func() error { return executeText(a, sites) }},
		thread{1, func() error { return a.intrude(a.rand(2)) }},
	)
}

// executeText is the reader: it executes all sites in turn and judges each execution.
//
//	CPU0, updater                        CPU1, reader
//	                                     s = state
//	state: old or new
//	patches                              executes: old, new or, wrongly, neither
//	state: new
//	                                     s2 = state
func executeText(a *attack, sites []*pokedSite) error {
	const rounds = 64
	for !a.over() {
		for range rounds {
			executeOnce(a, sites)
		}
		a.passes[0].Add(rounds * poked)
	}
	return nil
}

// executeOnce is a function for its prologue, where the collector can stop the reader. A
// signal alone would not do: while sites trap it arrives when the trap handler returns,
// which is to mapped code, where Go stops no thread. If the updater has been stopped between
// int3s and heads by then, that goes on for seconds.
//
//go:noinline
func executeOnce(a *attack, sites []*pokedSite) {
	for i, s := range sites {
		before := s.state.Load()
		got := s.run()
		after := s.state.Load()
		if either(before, got) {
			continue // nearly always
		}
		if broken := brokenBy(before, got, after); broken != "" {
			a.fail("%s: the site at offset %d of a cache line executed %#x between states %#x and %#x", broken, i, got, before, after)
		}
	}
}

// updateText changes random sites, one or many at once, to random instructions. now has
// what they are.
func updateText(a *attack, patch textpoke.Patcher, sites []*pokedSite, now []int) error {
	rnd := a.rand(0)
	for step := uint64(1); !a.over(); step += 2 {
		batch := rnd.Perm(len(sites))[:1+rnd.IntN(1<<rnd.IntN(7))]
		changes := make([]textpoke.Change, len(batch))
		for i, n := range batch {
			s, to := sites[n], draw(rnd, now[n])
			changes[i] = textpoke.Change{Site: s.Site, To: s.insns[to]}
			s.state.Store(pack(step, now[n], to))
			now[n] = to
		}
		if err := patch(changes); err != nil {
			return fmt.Errorf("patching %d sites: %w", len(changes), err)
		}
		for _, n := range batch {
			sites[n].state.Store(pack(step+1, now[n], now[n]))
		}
		a.transitions.Add(uint64(len(batch)))
	}
	return nil
}

// draw returns the instruction that follows, by index: as often as not a NOP after a CALL
// or JMP, since those two have no byte in common.
func draw(rnd *rand.Rand, now int) int {
	if now != 0 && rnd.IntN(2) == 0 {
		return 0
	}
	return rnd.IntN(len(ran))
}
