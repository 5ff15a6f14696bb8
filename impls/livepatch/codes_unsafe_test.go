//go:build steps

package livepatch_test

import (
	"unsafe"

	"github.com/tpbench/tpbench/impls/livepatch"
)

// versions are what the replays' one function can be: the original, and what patches 1
// and 2 replace it by. Each notes itself.
var versions = [...]func(data unsafe.Pointer, a, b uint64){
	func(data unsafe.Pointer, _, _ uint64) { note("original", data) },
	func(data unsafe.Pointer, _, _ uint64) { note("first", data) },
	func(data unsafe.Pointer, _, _ uint64) { note("second", data) },
}

func note(version string, data unsafe.Pointer) {
	// SAFETY: the replays call their function by call alone.
	*(*string)(data) = version
}

// call has the task call the function and returns the version that ran. Freed ones note
// nothing.
func call(t *livepatch.Task, f *livepatch.Function) (version string) {
	version = "freed"
	t.Call(f, unsafe.Pointer(&version), 1)
	return version
}
