// Package textsite makes sites whose result shows which instruction was executed. Tests of
// package textpoke, and its torture, patch and execute them.
package textsite

import (
	"slices"
	"sync"

	"github.com/tpbench/tpbench/impls/textpoke"
)

// A Site is a little function around a site of package textpoke, made of bytes in mapped
// memory:
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
type Site struct {
	*textpoke.Site
	Run   func() uint64    // calls the function
	Insns [5]textpoke.Insn // what the site can be, by the indices below
}

// The indices of Insns.
const (
	Nop = iota
	CallA
	CallB
	JumpA
	JumpB
)

// Results has what Run returns, by the same indices.
var Results = [5]uint64{Nop: 0x10, CallA: 0x11, CallB: 0x12, JumpA: 0x01, JumpB: 0x02}

// All returns 64 sites, the i-th at offset i into a cache line. They are made once, since a
// site stays registered as long as the process runs.
var All = sync.OnceValues(func() ([]*Site, error) {
	const (
		count = 64
		line  = 64   // bytes of a cache line
		room  = 1024 // bytes for each
		ud2   = 0x0B // its second byte
	)
	prologue, epilogue := []byte{0x31, 0xC0}, []byte{0x83, 0xC0, 0x10, 0xC3}
	nop := []byte{0x0F, 0x1F, 0x44, 0x00, 0x5A}
	text, err := textpoke.Map(count * room)
	if err != nil {
		return nil, err
	}
	base := addressOf(text)
	sites := make([]*Site, count)
	pcs := make([]uintptr, count)
	for i := range sites {
		at := i*room + line + i
		a := at + textpoke.Size + 0x0100 + ud2
		b := a + 0x0100
		copy(text[at-len(prologue):], slices.Concat(prologue, nop, epilogue))
		copy(text[a:], []byte{0xB8, 1, 0, 0, 0, 0xC3})
		copy(text[b:], []byte{0xB8, 2, 0, 0, 0, 0xC3})
		pcs[i] = base + uintptr(at)
		toA, toB := base+uintptr(a), base+uintptr(b)
		sites[i] = &Site{
			Run:   funcAt(pcs[i] - uintptr(len(prologue))),
			Insns: [5]textpoke.Insn{textpoke.Nop, textpoke.Call(toA), textpoke.Call(toB), textpoke.Jump(toA), textpoke.Jump(toB)},
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
