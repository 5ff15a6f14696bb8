package dispatch

import (
	"slices"
	"unsafe"

	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

const (
	// TextSites is how many events have their site in this binary's text; those
	// beyond get theirs in mapped memory.
	TextSites = 4096

	// Layouts is the number of alignments at which each timed loop stands.
	Layouts = 4

	// Unroll is the number of sites in a timed loop.
	Unroll = 8

	// The rest is for the assembler.
	blockSize  = 128 // bytes from one event's site to the next
	readerWord = rcu.WordOffset
	readerCtr  = rcu.CtrOffset
)

// An Entry is one probe as the dispatch path sees it. Assembler walks arrays of
// them.
type Entry struct {
	Fn   uintptr // code address; 0 ends an array
	Data unsafe.Pointer
	Prio int
}

// A Point is the tp->funcs word of one tracepoint, on a cache line of its own.
type Point struct {
	// funcs points to the first of an array of entries, or is nil. Written by
	// updaters under the tracepoint lock, read by sites inside read sections.
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

// loop is the type of every TEXT with sites in it.
type loop func(entry uintptr, r *rcu.Reader, n int)

// A Site is everything that one tracepoint patches: its key and its static call,
// at each place where it stands in the code (one for an event, Unroll for a timed
// loop). Its methods are the steps of a transition; their order, and the waits
// between them, are package tracepoint's.
type Site struct {
	point *Point
	spots []spot
	tail  bool // static calls are JMPs: mapped code must not call

	entry uintptr // where it is fired
	run   loop
}

// A spot is one place of a Site.
type spot struct {
	key  *textpoke.Site
	body uintptr // where an enabled key jumps
	call *textpoke.Site
}

// Fire passes the site once.
func (s *Site) Fire(r *rcu.Reader) {
	// To the race detector, the section in assembler is none.
	if raceEnabled || !r.Inline() {
		inside(r, s.run, s.entry, 1)
		return
	}
	s.run(s.entry, r, 1)
}

// inside passes sites within a section of the reader's own around their inline one, for
// flavours whose grace periods do not look at that, or not only.
func inside(r *rcu.Reader, run loop, entry uintptr, n int) {
	r.Lock()
	defer r.Unlock()
	run(entry, r, n)
}

// KeyEnable lets the site reach its body. All its places are one batch, as jump
// labels are.
func (s *Site) KeyEnable() error {
	enable, _ := KeyChanges([]*Site{s})
	return textpoke.Int3Batch(enable)
}

// KeyDisable is KeyEnable's inverse.
func (s *Site) KeyDisable() error {
	_, disable := KeyChanges([]*Site{s})
	return textpoke.Int3Batch(disable)
}

// StaticCall makes the static call go to the code at target, one place after the
// other, as static_call_update does. It does nothing if it goes there already.
func (s *Site) StaticCall(target uintptr) error {
	return textpoke.Int3(s.CallChanges(target))
}

// LeadsTo reports whether the static call goes to the thunk of t already: it was left
// there by one that had the same slot before.
func (s *Site) LeadsTo(t Target) bool {
	return t.thunk != nil && slices.ContainsFunc(s.spots, func(p spot) bool {
		return p.call.Insn() == s.callTo(t.PC)
	})
}

// CallChanges returns what makes the static call go to the code at target.
func (s *Site) CallChanges(target uintptr) []textpoke.Change {
	changes := make([]textpoke.Change, len(s.spots))
	for i, p := range s.spots {
		changes[i] = textpoke.Change{Site: p.call, To: s.callTo(target)}
	}
	return changes
}

// Reach reports that a static call of the site cannot go to fn, or nil.
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

// Publish makes funcs what sites read from now on: at least one entry and a zero Fn
// at the end, or nil. It pairs with the loads R3 of BODY and of the iterators; the exchange
// is a full fence, so a grace period that begins after it finds it done (rcu's U1).
func (s *Site) Publish(funcs []Entry) {
	s.point.setFuncs(funcs)
}

// KeyChanges returns what enables the keys of all sites in one patch, and what
// disables them.
func KeyChanges(sites []*Site) (enable, disable []textpoke.Change) {
	for _, s := range sites {
		for _, p := range s.spots {
			enable = append(enable, textpoke.Change{Site: p.key, To: textpoke.Jump(p.body)})
			disable = append(disable, textpoke.Change{Site: p.key, To: textpoke.Nop})
		}
	}
	return enable, disable
}
