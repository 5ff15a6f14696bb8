//go:build linux && !amd64

package guest

// pause does nothing: a guest is x86-64.
func pause() {}
