package dispatch

import (
	"slices"
	"unsafe"

	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

const (
	// TextSites is the number of events that have their site in this binary's text. The
	// sites of further events are in mapped memory.
	TextSites = 4096

	// Layouts is the number of alignments at which each timed loop stands.
	Layouts = 4

	// Unroll is the number of sites in a timed loop.
	Unroll = 8

	// The assembler uses these as well.
	blockSize  = 128 // bytes from one event's site to the next
	readerWord = rcu.WordOffset
	readerCtr  = rcu.CtrOffset
)

// An Entry is one probe in an array. Assembler walks arrays of entries.
type Entry struct {
	Fn   uintptr // code address; 0 ends the array
	Data unsafe.Pointer
	Prio int
}

// A Point is the tp->funcs word of one tracepoint, on a cache line of its own.
type Point struct {
	// funcs points to the first entry of an array, or is nil. Updaters write it with
	// the tracepoint's lock held; sites read it in a read section.
	funcs unsafe.Pointer
	_     [56]byte
}

// Addressed by assembler.
var (
	points     [TextSites]Point
	sitePoint  Point // of the timed loops at all layouts
	plainPoint Point
	nilPoint   Point // always nil
)

// loop is the type of every assembler function with sites in it. It begins at entry, if it
// uses that, and passes sites until n has been counted down.
type loop func(entry uintptr, r *rcu.Reader, n int)

// A Site has the instructions of one tracepoint: its key and its static call, at each spot in
// the code (one for an event, Unroll for a timed loop). Its methods are the steps of a
// transition. Package tracepoint has their order, and the waits between them.
type Site struct {
	point *Point
	spots []spot
	tail  bool // the static call is a JMP, since mapped code must not call

	entry uintptr // of its code
	run   loop    // passes it
}

// A spot is one place of a Site in the code.
type spot struct {
	key  *textpoke.Site
	body uintptr // where an enabled key jumps
	call *textpoke.Site
}

// Fire passes the site once.
func (s *Site) Fire(r *rcu.Reader) {
	// The race detector does not see the section in assembler.
	if raceEnabled || !r.Inline() {
		inside(r, s.run, s.entry, 1)
		return
	}
	s.run(s.entry, r, 1)
}

// inside passes sites in a section of the reader's flavour, around the inline one. It is for
// flavours whose grace periods do not look at the inline section, or not only.
func inside(r *rcu.Reader, run loop, entry uintptr, n int) {
	r.Lock()
	defer r.Unlock()
	run(entry, r, n)
}

// KeyEnable makes the site enter its body. It patches all spots in one batch, as the kernel
// does with jump labels.
func (s *Site) KeyEnable() error {
	enable, _ := KeyChanges([]*Site{s})
	return textpoke.Int3Batch(enable)
}

// KeyDisable is KeyEnable's inverse.
func (s *Site) KeyDisable() error {
	_, disable := KeyChanges([]*Site{s})
	return textpoke.Int3Batch(disable)
}

// StaticCall makes the static call go to the code at target. It patches one spot after the
// other, as static_call_update does, and none that goes there already.
func (s *Site) StaticCall(target uintptr) error {
	return textpoke.Int3(s.CallChanges(target))
}

// LeadsTo reports whether the static call goes to the slot of t's thunk already: an earlier
// thunk had the same slot.
func (s *Site) LeadsTo(t Target) bool {
	return t.thunk != nil && slices.ContainsFunc(s.spots, func(p spot) bool {
		return p.call.Insn() == s.callTo(t.PC)
	})
}

// CallChanges returns the patch that makes the static call go to the code at target.
func (s *Site) CallChanges(target uintptr) []textpoke.Change {
	changes := make([]textpoke.Change, len(s.spots))
	for i, p := range s.spots {
		changes[i] = textpoke.Change{Site: p.call, To: s.callTo(target)}
	}
	return changes
}

// Reach returns an error if a static call of the site cannot go to fn.
func (s *Site) Reach(fn Func) error {
	for _, p := range s.spots {
		if err := p.call.Reach(s.callTo(uintptr(fn))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) callTo(target uintptr) textpoke.Insn {
	if s.tail {
		return textpoke.Jump(target)
	}
	return textpoke.Call(target)
}

// Publish makes the site read the array funcs from now on: at least one entry and a zero entry
// at the end, or nil. It pairs with "load array" of BODY and of the iterators. The exchange is
// a full fence, so a grace period that begins after it waits for every reader that has not
// seen it.
func (s *Site) Publish(funcs []Entry) {
	s.point.setFuncs(funcs)
}

// KeyChanges returns the patch that enables the keys of all sites, and the patch that disables
// them.
func KeyChanges(sites []*Site) (enable, disable []textpoke.Change) {
	for _, s := range sites {
		for _, p := range s.spots {
			enable = append(enable, textpoke.Change{Site: p.key, To: textpoke.Jump(p.body)})
			disable = append(disable, textpoke.Change{Site: p.key, To: textpoke.Nop})
		}
	}
	return enable, disable
}
