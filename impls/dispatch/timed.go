package dispatch

import "github.com/tpbench/tpbench/impls/rcu"

// Timed returns the site of the timed loop at one of the Layouts alignments. All layouts share
// one tracepoint, so only one may be on at a time.
func Timed(layout int) *Site { return machine.timed[layout] }

// Loop passes the site n*Unroll times. The Site is one of Timed's.
func (s *Site) Loop(r *rcu.Reader, n int) {
	if !r.Inline() {
		inside(r, s.run, s.entry, n)
		return
	}
	s.run(s.entry, r, n)
}

// Sweep passes the first n events, in order, in one assembler loop; n is at most
// TextSites.
func Sweep(r *rcu.Reader, n int) {
	if !r.Inline() {
		inside(r, fire, machine.events[0].entry, n)
		return
	}
	fire(machine.events[0].entry, r, n)
}

// A Floor is a timed loop that is no strategy. It says what a part of one costs.
type Floor struct {
	Name   string
	Doc    string
	Probes int // the number of probes that the loop stands for

	// Arm prepares the loop at one layout and returns it; it passes n*Unroll
	// sites. Open must have succeeded.
	Arm func(layout int) (loop func(r *rcu.Reader, n int), err error)
}

// Floors lists the floors, cheapest first.
func Floors() []Floor {
	return []Floor{
		{"nothing", "the empty loop", 0, bare(&emptyLoops)},
		{"nil-check", "a disabled site that loads tp->funcs and tests it, unpatched", 0, bare(&nilCheckLoops)},
		{"bare-call", "a call and a return, nothing else", 1, bare(&bareCallLoops)},
		{"plain-call", "the whole site (key, read section, data) with an ordinary CALL", 1, armPlain},
	}
}

func bare(loops *[Layouts]loop) func(int) (func(*rcu.Reader, int), error) {
	return func(layout int) (func(*rcu.Reader, int), error) {
		return func(r *rcu.Reader, n int) { loops[layout](0, r, n) }, nil
	}
}

func armPlain(layout int) (func(*rcu.Reader, int), error) {
	s := machine.plain[layout]
	s.Publish([]Entry{{Fn: uintptr(Nop())}, {}})
	return s.Loop, s.KeyEnable()
}
