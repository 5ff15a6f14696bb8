//go:build !linux

package torture

import (
	"runtime"
	"time"
)

// allowedCPUs cannot tell.
func allowedCPUs() ([]int, error) { return []int{0}, nil }

// pin cannot.
func (a *attack) pin(int) error {
	runtime.LockOSThread()
	return nil
}

func nap(d time.Duration) { time.Sleep(d) }
