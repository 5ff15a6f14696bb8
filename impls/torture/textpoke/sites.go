package textpoke

import (
	"sync"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/textpoke"
)

// A site is a little function around a site of package textpoke, made of bytes in mapped
// memory. Its result tells what it executed:
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
// A thread that executes the head of one instruction with the tail of another must die of it:
// a result alone could be right by chance. The targets lie so that the lowest byte of both
// displacements is 0x0B. So a NOP's head before their tail is 0F 0B, UD2. The head of a CALL
// or JMP before the NOP's tail goes 1.5 GB away, where nothing is mapped.
type site struct {
	*textpoke.Site
	run   func() uint64
	insns [5]textpoke.Insn // nop, call A, call B, jmp A, jmp B

	// state says what the site executes. Only the updater writes it.
	state atomic.Uint64
	_     [64]byte
}

// results has what run returns when it has executed the instruction of that index.
var results = [5]uint64{0x10, 0x11, 0x12, 0x01, 0x02}

// allSites returns 64 sites, each at another offset into a cache line. They are made once,
// since a site stays registered as long as the process runs.
var allSites = sync.OnceValues(func() ([]*site, error) {
	const (
		count   = 64
		room    = 4 * 256  // bytes for each
		lowByte = 0x0B     // the second byte of UD2
		first   = 256 + 64 // offset of the first site in its room; the second's is one byte more
	)
	text, err := textpoke.Map(count * room)
	if err != nil {
		return nil, err
	}
	base := addressOf(text)
	sites := make([]*site, count)
	pcs := make([]uintptr, count)
	for i := range sites {
		code, pc := text[i*room:][:room], base+uintptr(i*room)
		at := first + i
		copy(code[at-2:], []byte{0x31, 0xC0, 0x0F, 0x1F, 0x44, 0x00, 0x5A, 0x83, 0xC0, 0x10, 0xC3})
		a := (at+textpoke.Size+lowByte)%256 + 512
		b := a + 256
		copy(code[a:], []byte{0xB8, 1, 0, 0, 0, 0xC3})
		copy(code[b:], []byte{0xB8, 2, 0, 0, 0, 0xC3})
		pcs[i] = pc + uintptr(at)
		toA, toB := pc+uintptr(a), pc+uintptr(b)
		sites[i] = &site{
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
