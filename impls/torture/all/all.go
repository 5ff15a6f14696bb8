// Package all lists the subjects of all families. Its tests torture each of them for a short
// time.
package all

import (
	"slices"

	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/torture/livepatch"
	"github.com/tpbench/tpbench/impls/torture/probes"
	"github.com/tpbench/tpbench/impls/torture/rcu"
	"github.com/tpbench/tpbench/impls/torture/textpoke"
	"github.com/tpbench/tpbench/impls/torture/uprobe"
)

// Subjects lists them, family by family.
func Subjects() []torture.Subject {
	return slices.Concat(rcu.Subjects(), textpoke.Subjects(), probes.Subjects(), livepatch.Subjects(), uprobe.Subjects())
}
