package textpoketest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A Site is a little function around a site, made of bytes in mapped memory, whose
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
// Who executes the head of one instruction with the tail of another dies of it: a NOP's
// head before the tail of a CALL or JMP is 0F 0B, UD2; the head of a CALL or JMP before
// a NOP's tail goes 1.5 GB away, where nothing is mapped.
type Site struct {
	*textpoke.Site
	Run   func() uint64
	Insns [5]textpoke.Insn // nop, call A, call B, jmp A, jmp B
}

// returns are the results of Run, by index of Insns.
var returns = [5]uint64{0x10, 0x11, 0x12, 0x01, 0x02}

// Returns is what Run returns while the site is insn, one of Insns.
func (s *Site) Returns(insn textpoke.Insn) uint64 {
	return returns[slices.Index(s.Insns[:], insn)]
}

// The code before the site and behind it.
var (
	prologue = []byte{0x31, 0xC0}
	epilogue = []byte{0x83, 0xC0, 0x10, 0xC3}
	nop      = []byte{0x0F, 0x1F, 0x44, 0x00, 0x5A}
)

// Code is what the site's five bytes are while it is insn, one of Insns.
func (s *Site) Code(insn textpoke.Insn) []byte {
	if insn == textpoke.Nop {
		return nop
	}
	opcode := byte(0xE8)
	if slices.Index(s.Insns[:], insn) >= 3 {
		opcode = 0xE9
	}
	return binary.LittleEndian.AppendUint32([]byte{opcode}, uint32(insn.Target()-(s.PC()+textpoke.Size)))
}

// Is reports an error unless the site is insn, to those who ask the table, look at the
// text, or execute it.
func (s *Site) Is(tb testing.TB, insn textpoke.Insn) {
	tb.Helper()
	offset := s.PC() % 64
	if got := s.Insn(); got != insn {
		tb.Errorf("offset %d: the table says %v, want %v", offset, got, insn)
	}
	text := textpoke.Text(s.PC()-uintptr(len(prologue)), len(prologue)+textpoke.Size+len(epilogue))
	if want := slices.Concat(prologue, s.Code(insn), epilogue); !bytes.Equal(text, want) {
		tb.Errorf("offset %d: the text is % x, want % x (%v)", offset, text, want, insn)
		return // better not executed
	}
	if got, want := s.Run(), s.Returns(insn); got != want {
		tb.Errorf("offset %d: executed as %#x, want %#x (%v)", offset, got, want, insn)
	}
}

// Sites returns 64 sites, the i-th at offset i into a cache line. They are made once:
// sites are for ever.
func Sites(tb testing.TB) []*Site {
	tb.Helper()
	sites, err := made()
	judge.Need(tb, err, "textpoke")
	return sites
}

var made = sync.OnceValues(func() ([]*Site, error) {
	const lines, room, line = 64, 1024, 64
	if err := textpoke.Check(); err != nil {
		return nil, err
	}
	text, err := textpoke.Map(lines * room)
	if err != nil {
		return nil, err
	}
	base := addressOf(text)
	sites := make([]*Site, lines)
	pcs := make([]uintptr, lines)
	for i := range sites {
		at := i*room + line + i
		a := at + textpoke.Size + 0x010B // the low byte of each displacement is UD2's second
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
