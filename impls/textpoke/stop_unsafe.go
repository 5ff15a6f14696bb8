//go:build linux && amd64

package textpoke

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets into linux_dirent64, the kernel's directory entry.
const (
	direntLen  = 16
	direntName = 19
)

const (
	futexWakePrivate = 1 | 128
	allWaiters       = 1<<31 - 1
	allSignals       = ^uint64(0)
)

// stopAndWrite is steps 1 to 5 of stopReaders. It returns how many threads it held, how many
// core syncs it made, and whether it held all threads; if not, nothing was written. The
// threads that it holds may have the runtime's locks. So it has no prologue, no allocation and
// no race annotation, and calls no function that has one.
//
//go:nosplit
//go:norace
func stopAndWrite(work *pokeWork, n int) (held uint32, synced uint64, written bool) {
	// SAFETY: the kernel gets addresses of globals and of two words of this frame, which
	// cannot move: this code has no call that could grow the stack.
	mask, before := allSignals, uint64(0)
	rawSyscall(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&before)), unsafe.Sizeof(mask))
	self := uint32(rawSyscall(unix.SYS_GETTID, 0, 0, 0, 0))
	process := rawSyscall(unix.SYS_GETPID, 0, 0, 0, 0)
	for try := 0; try < mostTries && !written; try++ {
		if held, synced, written = stopOnce(self, process, work, n); !written {
			rawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0, 0)
		}
	}
	rawSyscall(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&before)), 0, unsafe.Sizeof(mask))
	return held, synced, written
}

// stopOnce tries steps 2 to 5 once.
//
//go:nosplit
//go:norace
func stopOnce(self uint32, process uintptr, work *pokeWork, n int) (held uint32, synced uint64, written bool) {
	// SAFETY: as in stopAndWrite.
	sent := 0
	// base is the arrival count when hold was set; earlier arrivals, by a signal of an
	// earlier try, must have left. A thread that arrives later finds hold set: the fence of
	// the store comes before the load of arrived, and a thread in park counts itself in
	// before it loads hold.
	for load(&stop.left) != load(&stop.arrived) {
		rawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0, 0)
	}
	store(&stop.hold, 1)
	base := load(&stop.arrived)
	if load(&stop.left) != base {
		release()
		return 0, 0, false
	}

	scans := 0
	for all := false; !all; scans++ {
		all = true
		arrived := load(&stop.arrived)
		rawSyscall(unix.SYS_LSEEK, uintptr(tasks), 0, unix.SEEK_SET, 0)
		for {
			size := int(rawSyscall(unix.SYS_GETDENTS64, uintptr(tasks), uintptr(unsafe.Pointer(&entries)), unsafe.Sizeof(entries), 0))
			if size <= 0 {
				break
			}
			for at := 0; at < size; {
				tid := uint32(0)
				for i := at + direntName; entries[i] >= '0' && entries[i] <= '9'; i++ {
					tid = tid*10 + uint32(entries[i]-'0')
				}
				at += int(entries[at+direntLen]) | int(entries[at+direntLen+1])<<8
				if tid == 0 || tid == self { // 0: "." and ".."
					continue
				}
				parked, hasSignal := false, false
				for i := base; i != arrived; i++ {
					if load(&stop.tids[i%mostThreads]) == tid {
						parked = true
						break
					}
				}
				for i := 0; i < sent && !parked; i++ {
					if signalled[i] == tid {
						hasSignal = true
						break
					}
				}
				if parked {
					continue
				}
				all = false
				if !hasSignal {
					signalled[sent] = tid
					sent++
					rawSyscall(unix.SYS_TGKILL, process, uintptr(tid), uintptr(parkSignal), 0)
				}
			}
		}
		if !all {
			if scans == mostScans || sent == mostThreads {
				release()
				return 0, 0, false
			}
			rawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0, 0)
		}
	}

	writeTails(work, n)
	writeHeads(work, n)
	if rawSyscall(unix.SYS_MEMBARRIER, membarrierCmdSyncCore, 0, 0, 0) == 0 {
		synced++
	}

	held = load(&stop.arrived) - base
	release()
	return held, synced, true
}

// release ends the hold: the threads in park continue.
//
//go:nosplit
//go:norace
func release() {
	store(&stop.hold, 0)
	// SAFETY: a global.
	rawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&stop.hold)), futexWakePrivate, allWaiters, 0)
}

// After mostScans scans, a try releases all threads: a thread in one of the runtime's signal
// handlers may spin for a lock that a thread in park has. After mostTries tries, which take
// seconds, a thread has not come to park and is taken never to come.
const (
	mostScans = 5000
	mostTries = 100
)
