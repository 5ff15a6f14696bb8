package livepatch

import (
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
)

// versionFuncs returns the addresses of the versions.
func versionFuncs() ([]dispatch.Func, error) {
	var list []dispatch.Func
	for _, f := range [versions]func(unsafe.Pointer, uint64, uint64){
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(0, data) },
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(1, data) },
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(2, data) },
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(3, data) },
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(4, data) },
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(5, data) },
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(6, data) },
		func(data unsafe.Pointer, _, _ uint64) { ranVersion(7, data) },
	} {
		fn, err := dispatch.GoFunc(f)
		if err != nil {
			return nil, err
		}
		list = append(list, fn)
	}
	return list, nil
}

func ranVersion(version int, data unsafe.Pointer) {
	// SAFETY: these functions are called by task.call alone.
	(*task)(data).ran(version)
}

// call calls a function n times.
func (t *task) call(f, n int) {
	t.calling = f
	t.task.Call(t.originals[f], unsafe.Pointer(t), n)
}
