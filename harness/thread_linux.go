package harness

import (
	"time"

	"golang.org/x/sys/unix"
)

func threadID() int { return unix.Gettid() }

// threadTime is how long a thread of this process has been on a CPU.
func threadTime(tid int) time.Duration {
	// A clockid_t for another thread's CPU time: its id inverted, and the kernel's
	// CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED. Glibc's pthread_getcpuclockid makes
	// the same.
	const perThread, sched = 4, 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^tid)<<3|perThread|sched, &ts); err != nil {
		panic("harness: the CPU time of a thread that has not ended: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
