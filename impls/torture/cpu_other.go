//go:build !linux

package torture

import (
	"runtime"
	"time"
)

// allowedCPUs does not know: pin ignores CPUs here.
func allowedCPUs() ([]int, error) { return []int{0}, nil }

// pin keeps the goroutine on its thread, but on any CPU.
func (a *Attack) pin(int) error {
	runtime.LockOSThread()
	return nil
}

// Nap puts the thread to sleep.
func Nap(d time.Duration) { time.Sleep(d) }
