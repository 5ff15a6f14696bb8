package probes

import (
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/torture"
)

// If this fails, a probe's data that is freed while the probe runs is taken for another's, or
// its nil place is used, which panics: then a strategy that frees too early is said to have
// broken another invariant than the one it broke. Or data in use is said to be freed.
func TestHalfFreed(t *testing.T) {
	var reported []*datum
	report := func(_ int, d *datum) { reported = append(reported, d) }
	reportWrong.Store(&report)
	defer reportWrong.Store(nil)
	p := new(point)
	p.self = p
	whole := datum{torture.Alive, 1, 2, &p.place}
	for words := range 1 << 4 {
		d := whole
		if words&1 > 0 {
			d.magic = freed.magic
		}
		if words&2 > 0 {
			d.owner = freed.owner
		}
		if words&4 > 0 {
			d.number = freed.number
		}
		if words&8 > 0 {
			d.place = freed.place
		}
		reported, p.calls = nil, nil
		called(whole.owner, probeOf(0, &d, 0).Data)
		asFreed := len(reported) == 1 && !reported[0].inUse() && len(p.calls) == 0
		asInUse := len(reported) == 0 && slices.Equal(p.calls, []uint64{whole.number})
		if words == 0 && !asInUse || words > 0 && !asFreed {
			t.Errorf("words %04b are freed: the call is reported %d times and noted as %d", words, len(reported), p.calls)
		}
	}
}
