package torture

import (
	"unsafe"

	"github.com/tpbench/tpbench/impls/uprobe"
)

// tapOf is container_of.
func tapOf(c *uprobe.Consumer) *tap {
	// SAFETY: every consumer of an attack is the first field of a tap, of a slab that the
	// attack holds.
	return (*tap)(unsafe.Pointer(c))
}
