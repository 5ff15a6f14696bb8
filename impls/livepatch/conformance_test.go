package livepatch_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/livepatch/livepatchtest"
)

// If this fails, a variant does something else than it was asked for, even when nothing
// else happens at the time; the case says what.
func TestConformance(t *testing.T) {
	for _, v := range livepatch.Variants() {
		t.Run(v.Name, func(t *testing.T) { livepatchtest.Run(t, v) })
	}
}
