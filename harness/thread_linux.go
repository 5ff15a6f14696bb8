package harness

import (
	"time"

	"golang.org/x/sys/unix"
)

func threadID() int { return unix.Gettid() }

// threadTime is how long a thread of this process has been on a CPU.
func threadTime(tid int) time.Duration {
	// The clockid_t of another thread's CPU time is its inverted number with the kernel's
	// CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED, as in glibc's pthread_getcpuclockid.
	const perThread, sched = 4, 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^tid)<<3|perThread|sched, &ts); err != nil {
		panic("harness: reading the CPU time of a running thread: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
