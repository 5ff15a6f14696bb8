package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls"
)

// FireEvents are the events that Fire fires, once each for each call.
var FireEvents = [2]string{"syscalls/sys_enter_getppid", "syscalls/sys_exit_getppid"}

// Fire makes a cheap system call n times: getppid.
func Fire(n int) {
	for range n {
		_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	}
}

// GracePeriod waits for a grace period of RCU: membarrier(MEMBARRIER_CMD_GLOBAL) does that on a
// machine with two CPUs or more. The error is an [impls.UnsupportedError].
func GracePeriod() error {
	const global = 1 << 0 // MEMBARRIER_CMD_GLOBAL; x/sys/unix has no wrapper for the call
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		return &impls.UnsupportedError{
			What: "membarrier GLOBAL",
			Why:  "the kernel returns " + errno.Error(),
			Do:   "boot without nohz_full= (it takes this command away), and run outside sandboxes that filter system calls",
		}
	}
	return nil
}
