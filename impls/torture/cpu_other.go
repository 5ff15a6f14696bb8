//go:build !linux

package torture

import "runtime"

// allowedCPUs cannot tell.
func allowedCPUs() ([]int, error) { return []int{0}, nil }

// pin cannot.
func (a *attack) pin(int) error {
	runtime.LockOSThread()
	return nil
}
