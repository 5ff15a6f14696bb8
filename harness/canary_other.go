//go:build !amd64

package harness

// The clock refuses to open before either could be called.
func emptyLoop(int) { panic("harness: needs amd64") }
func imulChain(int) { panic("harness: needs amd64") }
