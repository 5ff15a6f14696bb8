package dispatch

import (
	"encoding/binary"

	"github.com/tpbench/tpbench/impls/textpoke"
)

// A mapped site, for events beyond those in text. fireMapped calls it in a read section. It
// must not call, because the runtime cannot unwind a frame in mapped memory. It only jumps,
// so a probe returns to fireMapped as if called from there.
//
//	key:   NOP5 / JMP body
//	       RET
//	body:  MOVQ $point, DI
//	       MOVQ (DI), R9        load array
//	       TESTQ R9, R9
//	       JEQ  ret
//	       MOVQ 8(R9), AX       load data
//	call:  JMP  target          call, as a tail call
//	ret:   RET
var mappedTemplate = [mappedSize]byte{
	0x0F, 0x1F, 0x44, 0x00, 0x5A,
	0xC3,
	0x48, 0xBF, 0, 0, 0, 0, 0, 0, 0, 0,
	0x4C, 0x8B, 0x0F,
	0x4D, 0x85, 0xC9,
	0x74, 0x09,
	0x49, 0x8B, 0x41, 0x08,
	0xE9, 0, 0, 0, 0,
	0xC3,
}

const (
	mappedSize  = 64
	mappedBody  = 6
	mappedPoint = 8 // the immediate of MOVQ $point
	mappedCall  = 28
)

// mapSites makes n more sites. machine.mu must be held.
func mapSites(n int) ([]*Site, error) {
	var reg registration
	if err := reg.mapped(n); err != nil {
		return nil, err
	}
	return reg.sites, reg.finish()
}

// mapped adds n sites in new mapped memory.
func (g *registration) mapped(n int) error {
	text, err := textpoke.Map(n * mappedSize)
	if err != nil {
		return err
	}
	base := addressOf(text)
	points := make([]Point, n)
	for i := range n {
		code := text[i*mappedSize:][:mappedSize]
		entry := base + uintptr(i)*mappedSize
		call := entry + mappedCall
		copy(code, mappedTemplate[:])
		// The points never move and the Sites keep them alive.
		binary.LittleEndian.PutUint64(code[mappedPoint:], uint64(pointAddress(&points[i])))
		binary.LittleEndian.PutUint32(code[mappedCall+1:], uint32(machine.pcs.traceiter-(call+textpoke.Size)))
		g.sites = append(g.sites, &Site{
			point: &points[i], tail: true, entry: entry, run: fireMapped,
			spots: []spot{{body: entry + mappedBody}},
		})
		g.pcs = append(g.pcs, entry, call)
	}
	return nil
}
