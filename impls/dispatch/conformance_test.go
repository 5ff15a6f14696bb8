package dispatch_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/dispatch/dispatchtest"
)

// If this fails, a way to dispatch breaks a promise; the case says which.
func TestConformance(t *testing.T) {
	for _, v := range dispatch.Variants() {
		t.Run(v.Name, func(t *testing.T) { dispatchtest.Run(t, v) })
	}
}
