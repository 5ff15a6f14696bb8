package unregister_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/unregister"
	"github.com/tpbench/tpbench/impls/unregister/unregistertest"
)

// If this fails, a variant does something else than it was asked for, even when nothing
// else happens at the time; the case says what.
func TestConformance(t *testing.T) {
	for _, v := range unregister.Variants() {
		for _, f := range impls.OnlySound(rcu.Variants()) {
			t.Run(v.Name+"/"+f.Name, func(t *testing.T) { unregistertest.Run(t, v, f) })
		}
	}
}
