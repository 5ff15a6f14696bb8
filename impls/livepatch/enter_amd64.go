//go:build linux

package livepatch

import "unsafe"

func enter(entry uintptr, t *Task, data unsafe.Pointer, n int)
func enterPC() uintptr
