package uprobe_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/uprobe"
	"github.com/tpbench/tpbench/impls/uprobe/uprobetest"
)

func TestConformance(t *testing.T) {
	for _, v := range impls.OnlySound(uprobe.Variants()) {
		t.Run(v.Name, func(t *testing.T) { uprobetest.Run(t, v) })
	}
}
