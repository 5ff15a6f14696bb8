package rcu

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls/internal/cpulist"
)

// Commands of membarrier(2); x/sys/unix has no wrapper for the call.
const (
	membarrierQuery                    = 0
	membarrierCmdGlobal                = 1 << 0
	membarrierCmdPrivate               = 1 << 3
	membarrierRegisterPrivateExpedited = 1 << 4
)

func membarrier(cmd uintptr) (uintptr, unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_MEMBARRIER, cmd, 0, 0)
	return r, errno
}

// membarrierPrivate makes every thread of this process that is running execute a full fence.
// The raw system call keeps the thread's P: the call takes microseconds, and no other
// goroutine should run here meanwhile.
func membarrierPrivate() {
	if _, errno := membarrier(membarrierCmdPrivate); errno != 0 {
		panic("rcu: membarrier PRIVATE_EXPEDITED, checked before, failed: " + errno.Error())
	}
}

// membarrierGlobal is the kernel's synchronize_rcu. It sleeps for milliseconds, so this system
// call gives the P away.
func membarrierGlobal() {
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierCmdGlobal, 0, 0); errno != 0 {
		panic("rcu: membarrier GLOBAL, checked before, failed: " + errno.Error())
	}
}

// checkPrivate also registers the process with the kernel, which the command needs.
func checkPrivate() error {
	if err := checkCommand("PRIVATE_EXPEDITED", membarrierCmdPrivate, "run on Linux 4.14 or later, outside sandboxes that filter system calls"); err != nil {
		return err
	}
	if _, errno := membarrier(membarrierRegisterPrivateExpedited); errno != 0 {
		return unsupported("membarrier PRIVATE_EXPEDITED", "the kernel refused to register this process: "+errno.Error(), "see membarrier(2)")
	}
	return nil
}

func checkGlobal() error {
	if err := checkCommand("GLOBAL", membarrierCmdGlobal, "boot without nohz_full= (it takes this command away), outside sandboxes that filter system calls"); err != nil {
		return err
	}
	if cpus := onlineCPUs(); cpus < 2 {
		return unsupported("membarrier GLOBAL", "with one CPU online the kernel returns at once, without a grace period", "run on a machine with 2 CPUs or more")
	}
	return nil
}

func checkCommand(name string, cmd uintptr, do string) error {
	if err := checkArch(); err != nil {
		return err
	}
	have, errno := membarrier(membarrierQuery)
	if errno != 0 {
		return unsupported("membarrier "+name, "membarrier(2) returns "+errno.Error(), do)
	}
	if have&cmd == 0 {
		return unsupported("membarrier "+name, "this kernel does not offer the command", do)
	}
	return nil
}

// onlineCPUs counts the CPUs in /sys/devices/system/cpu/online ("0-3,8"), or assumes 2 if the
// file cannot be read. The number of CPUs that this process may use does not matter:
// membarrier goes by the kernel's own count.
func onlineCPUs() int {
	list, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return 2
	}
	cpus, err := cpulist.Parse(string(list))
	if err != nil {
		return 2
	}
	return len(cpus)
}

// sleep blocks the thread. Go's timers would give its P to another thread, and getting it back
// takes a pinned thread tens of microseconds.
func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}
