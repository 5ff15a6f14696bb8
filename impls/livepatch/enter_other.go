//go:build !(linux && amd64)

package livepatch

import "unsafe"

// Open refuses before any of these could run.
func enter(uintptr, *Task, unsafe.Pointer, int) { panic("livepatch: needs linux/amd64") }
func enterPC() uintptr                          { panic("livepatch: needs linux/amd64") }
