package torture

import (
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// allowedCPUs lists the CPUs that this process may use.
func allowedCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("torture: reading the CPUs this process may use: %w", err)
	}
	var cpus []int
	for cpu := range 64 * len(set) {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// pin gives the calling goroutine's thread one of the attack's CPUs, the n-th modulo their
// number. The thread keeps it: the goroutine ends with its thread.
func (a *Attack) pin(n int) error {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(a.cpus[n%len(a.cpus)])
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("torture: pinning to CPU %d: %w", a.cpus[n%len(a.cpus)], err)
	}
	return nil
}

// Nap puts the thread itself to sleep, since a timer of Go's is handled by another thread.
// It sets the kernel's timer slack, which is 50 µs by default, to 1 ns.
func Nap(d time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it the nap is only longer
	ts := unix.NsecToTimespec(int64(d))
	unix.Nanosleep(&ts, nil) // an interrupted nap is only shorter
}
