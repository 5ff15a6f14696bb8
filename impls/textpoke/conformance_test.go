package textpoke_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/textpoke/textpoketest"
)

// If this fails, a patcher that calls itself sound breaks a promise; the case says which.
func TestConformance(t *testing.T) {
	for _, v := range impls.OnlySound(textpoke.Variants()) {
		t.Run(v.Name, func(t *testing.T) { textpoketest.Run(t, v) })
	}
}
