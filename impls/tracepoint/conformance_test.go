package tracepoint_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/tracepoint"
	"github.com/tpbench/tpbench/impls/tracepoint/tracepointtest"
)

// If this fails, a strategy does something else than it was asked for, even when nothing
// else happens at the time; the case says what.
func TestConformance(t *testing.T) {
	for _, v := range tracepoint.Variants() {
		for _, f := range impls.OnlySound(rcu.Variants()) {
			t.Run(v.Name+"/"+f.Name, func(t *testing.T) {
				if v.Status == impls.Busted && tracepointtest.Slow(f) {
					t.Skip("that it does what it is asked for, when nothing else happens, faster flavours show")
				}
				tracepointtest.Run(t, v, f)
			})
		}
	}
}
