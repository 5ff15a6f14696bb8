package probes

import (
	"testing"

	"github.com/tpbench/tpbench/impls/torture"
)

// If this fails, a probe's data that is freed while the probe runs is taken for another's, or
// its nil place is used, which panics: then a strategy that frees too early is said to have
// broken another invariant than the one it broke.
func TestHalfFreed(t *testing.T) {
	whole := datum{torture.Alive, 1, 2, &place{}}
	if !whole.inUse() {
		t.Error("data in use is said to be freed")
	}
	for words := 1; words < 1<<4; words++ {
		half := whole
		if words&1 > 0 {
			half.magic = freed.magic
		}
		if words&2 > 0 {
			half.owner = freed.owner
		}
		if words&4 > 0 {
			half.number = freed.number
		}
		if words&8 > 0 {
			half.place = freed.place
		}
		if half.inUse() {
			t.Errorf("words %04b are freed, and the data is said to be in use", words)
		}
	}
}
