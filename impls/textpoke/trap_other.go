//go:build !(linux && amd64)

package textpoke

import "runtime"

// Check returns an error that says what patching text needs.
func Check() error {
	const needs = "it rewrites x86-64 instructions under Linux's signals and membarrier, and this is "
	return unsupported(needs+runtime.GOOS+"/"+runtime.GOARCH, "run on linux/amd64")
}

// Map returns Check's error.
func Map(int) ([]byte, error) { return nil, Check() }

func install() error               { return Check() }
func makeWritable([]uintptr) error { return Check() }

// Text and what follows are never called: Check has returned an error before.
func Text(uintptr, int) []byte                           { panic("textpoke: needs linux/amd64") }
func writeInt3s(*pokeWork, int)                          { panic("textpoke: needs linux/amd64") }
func writeTails(*pokeWork, int)                          { panic("textpoke: needs linux/amd64") }
func writeHeads(*pokeWork, int)                          { panic("textpoke: needs linux/amd64") }
func writeWords(*pokeWork, int)                          { panic("textpoke: needs linux/amd64") }
func writeAligned(*pokeWork, int)                        { panic("textpoke: needs linux/amd64") }
func stopAndWrite(*pokeWork, int) (uint32, uint64, bool) { panic("textpoke: needs linux/amd64") }

const parkSignal = 0

func installPark() error  { return Check() }
func checkStop() error    { return Check() }
func checkAligned() error { return Check() }
func installGuard()       { panic("textpoke: needs linux/amd64") }
func membarrierSyncCore() { panic("textpoke: needs linux/amd64") }
