//go:build !linux || !amd64 || !(steps || race)

package dispatch

// throughHook returns a thunk's code as it is, and where it is to jump: to the probe.
func throughHook(code []byte, fn uintptr) ([]byte, uintptr) { return code, fn }
