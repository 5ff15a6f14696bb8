package rcu_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/rcu/rcutest"
)

// If this fails, a flavour that calls itself sound breaks a promise; the case says which.
func TestConformance(t *testing.T) {
	for _, v := range impls.OnlySound(rcu.Variants()) {
		t.Run(v.Name, func(t *testing.T) { rcutest.Run(t, v) })
	}
}
