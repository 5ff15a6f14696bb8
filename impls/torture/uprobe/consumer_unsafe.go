package uprobe

import (
	"unsafe"

	"github.com/tpbench/tpbench/impls/uprobe"
)

// consumerOf is container_of.
func consumerOf(c *uprobe.Consumer) *consumer {
	// SAFETY: every consumer of an attack is the first field of a consumer of this package, in
	// a slab that the attack holds.
	return (*consumer)(unsafe.Pointer(c))
}
