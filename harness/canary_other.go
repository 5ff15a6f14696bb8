//go:build !amd64

package harness

// clock.Open fails before either can be called.
func emptyLoop(int) { panic("harness: needs amd64") }
func imulChain(int) { panic("harness: needs amd64") }
