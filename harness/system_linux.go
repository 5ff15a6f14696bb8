package harness

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Isolate puts the process of cmd into its own process group, so that Ctrl-C in a terminal
// reaches only the coordinator, and has the kernel kill it when the coordinator dies.
func Isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// lock locks the file until this process closes it, or returns errLocked. Workers
// do not inherit the lock.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

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
