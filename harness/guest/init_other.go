//go:build !linux

package guest

// Init fails: a guest runs Linux.
func Init(func() (said string, environment []string, err error)) error { return errNotFirst }
