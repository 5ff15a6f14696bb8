package dispatch

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/tpbench/tpbench/impls/textpoke"
)

// addressTable holds the addresses of assembler text; assembler fills it.
type addressTable struct {
	fire                 uintptr
	site, plain          [Layouts]uintptr
	traceiter, retpoline uintptr
	unchecked, sentinel  uintptr
	probeNop, probeCount uintptr
	probeFreed           uintptr
	probeStub            uintptr
	probeSelf            uintptr
}

// machine is the state behind Open.
var machine struct {
	once sync.Once
	err  error

	pcs    addressTable
	events []*Site        // of the TextSites in text
	timed  [Layouts]*Site // of the timed loops
	plain  [Layouts]*Site // of the floor plain-call: its static call is never patched

	mu     sync.Mutex // protects mapped
	mapped []*Site    // of events beyond TextSites
}

// Open registers the sites in this binary's text with package textpoke, and tests that Go
// functions can be called from one of them and from one in mapped memory (selftest.go). It
// does so once. Its error is impls.ErrUnsupported if text cannot be patched, or if this Go
// release has another ABI than sites use. Everything else in this package needs it.
func Open() error {
	machine.once.Do(func() { machine.err = open() })
	return machine.err
}

func open() error {
	if err := textpoke.Check(); err != nil {
		return err
	}
	pcs := &machine.pcs
	addresses(pcs)
	first, err := find(pcs.fire, keepMark)
	if err != nil {
		return err
	}
	var reg registration
	for i := range TextSites {
		entry := first + uintptr(i)*blockSize
		machine.events = append(machine.events, reg.add(&Site{point: &points[i], entry: entry, run: fire}, 1))
	}
	for i := range Layouts {
		machine.timed[i] = reg.add(&Site{point: &sitePoint, entry: pcs.site[i], run: siteLoops[i]}, Unroll)
		machine.plain[i] = reg.add(&Site{point: &plainPoint, entry: pcs.plain[i], run: plainCallLoops[i]}, Unroll)
	}
	if err := reg.mapped(1); err != nil {
		return err
	}
	if err := reg.finish(); err != nil {
		return err
	}
	machine.mapped = reg.sites[len(reg.sites)-1:]
	return selfTest(machine.events[TextSites-1], machine.mapped[0])
}

// The bytes by which Go code finds the parts of a site of site_amd64.h.
var (
	keepMark = []byte{0x4C, 0x89, 0x64, 0x24, 0x20}                   // MOVQ R12, COUNTER, which begins a BLOCK
	keyMark  = []byte{0x0F, 0x1F, 0x44, 0x00, 0x5A}                   // KEY
	bodyMark = []byte{0x48, 0x8B, 0x74, 0x24, 0x40, 0x4C, 0x8B, 0x06} // MOVQ r+8(FP), SI; MOVQ word(SI), R8: BODY
	callMark = []byte{0x4C, 0x89, 0xE1, 0xE8}                         // MOVQ R12, CX, and the opcode of BODY's CALL
)

// find returns the address of the first mark at or after pc, within a few blocks.
func find(pc uintptr, mark []byte) (uintptr, error) {
	const far = 16 * blockSize
	i := bytes.Index(textpoke.Text(pc, far), mark)
	if i < 0 {
		return 0, fmt.Errorf("dispatch: no % x in the %d bytes of text from %#x: site_amd64.h and text.go disagree", mark, far, pc)
	}
	return pc + uintptr(i), nil
}

// A registration collects the instructions of many Sites, so that package textpoke
// sorts its table once.
type registration struct {
	sites []*Site
	pcs   []uintptr // addresses of key and call of each spot, in the order of sites and spots
	err   error
}

// add finds the n spots of s in the text from its entry on: n keys, and after them n bodies
// with a call each.
func (g *registration) add(s *Site, n int) *Site {
	at := s.entry
	next := func(mark []byte) (pc uintptr) {
		if g.err == nil {
			pc, g.err = find(at, mark)
			at = pc + uintptr(len(mark))
		}
		return pc
	}
	keys := make([]uintptr, n)
	for i := range keys {
		keys[i] = next(keyMark)
	}
	for i := range keys {
		s.spots = append(s.spots, spot{body: next(bodyMark)})
		g.pcs = append(g.pcs, keys[i], next(callMark)+uintptr(len(callMark))-1)
	}
	g.sites = append(g.sites, s)
	return s
}

// finish registers all of them with package textpoke.
func (g *registration) finish() error {
	if g.err != nil {
		return g.err
	}
	registered, err := textpoke.Register(g.pcs)
	if err != nil {
		return err
	}
	for _, s := range g.sites {
		for i := range s.spots {
			s.spots[i].key, s.spots[i].call = registered[0], registered[1]
			registered = registered[2:]
		}
	}
	return nil
}

// Events returns the sites of n events: the first TextSites of them in this binary's text, the
// others in mapped memory, which is made when needed and never freed.
func Events(n int) ([]*Site, error) {
	if err := Open(); err != nil {
		return nil, err
	}
	if n <= TextSites {
		return machine.events[:n:n], nil
	}
	machine.mu.Lock()
	defer machine.mu.Unlock()
	if missing := n - TextSites - len(machine.mapped); missing > 0 {
		more, err := mapSites(missing)
		if err != nil {
			return nil, err
		}
		machine.mapped = append(machine.mapped, more...)
	}
	sites := make([]*Site, 0, n)
	sites = append(sites, machine.events...)
	return append(sites, machine.mapped[:n-TextSites]...), nil
}
