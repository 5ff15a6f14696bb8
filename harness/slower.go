package harness

import "github.com/tpbench/tpbench/harness/clock"

// A slowdown makes timed parts longer by a known share, as if the operation were slower. It spins
// on the clock at the end of a timed part until the time that it owes has passed.
//
// A read of the clock takes tens of ns, so a spin lasts longer than it should, by one read at most.
// The excess is owed back by the next timed part of the same phase, in this batch or a later one. So
// the sum of a phase's parts is too long by one read at most, however many parts it has.
// A debt for all phases together would move time from one phase to the other. An excess that is no
// read of the clock but an interrupt is forgotten: it lengthens other code as well, and if it were
// owed back, the operation would not be slower for hundreds of batches.
type slowdown struct {
	share float64 // > 0: 0.005 makes half a percent
	clock *clock.Clock
	read  func() uint64 // clock.Stop, but for tests

	interrupt float64   // ns: no read of the clock takes so long
	owed      []float64 // ns, for each phase: at most 0 between timed parts
}

// interruptReads is how many times as long as most reads of the clock an interrupt lasts at least.
const interruptReads = 10

// newSlowdown returns nil for the share 0.
func newSlowdown(share float64, c *clock.Clock, phases int) *slowdown {
	if share == 0 {
		return nil
	}
	return &slowdown{
		share: share, clock: c, read: clock.Stop,
		interrupt: interruptReads * (c.Overhead().P90 + c.Precision()),
		owed:      make([]float64, phases),
	}
}

// lengthen is called at the end of a timed part, and returns its new end.
func (s *slowdown) lengthen(phase int, begin, end uint64) uint64 {
	took := timed(s.clock, end-begin)
	owed := s.owed[phase] + s.share*took
	spun := 0.0
	for spun < owed {
		end = s.read()
		spun = timed(s.clock, end-begin) - took
	}
	if s.owed[phase] = owed - spun; s.owed[phase] < -s.interrupt {
		s.owed[phase] = 0
	}
	return end
}
