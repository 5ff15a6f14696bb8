//go:build linux && amd64

package textpoke

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// linux_dirent64: where its length and its name are.
const (
	direntLen  = 16
	direntName = 19
)

const (
	futexWakePrivate = 1 | 128
	everybody        = 1<<31 - 1
	allSignals       = ^uint64(0)
)

// stopAndWrite is steps 1 to 5 of stopReaders. It returns how many threads it held, how often
// it synchronised all cores, and whether it held all of them; if not, nothing was written. No
// prologue, no allocation, no race annotation, no call of anything that has one: the threads
// that it holds may have the runtime's locks.
//
//go:nosplit
//go:norace
func stopAndWrite(work *pokeWork, n int) (held uint32, synced uint64, written bool) {
	// SAFETY: what is passed to the kernel are globals, and two words of this frame, which
	// cannot move: nobody else runs.
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

// stopOnce is one try: steps 2 to 5.
//
//go:nosplit
//go:norace
func stopOnce(self uint32, process uintptr, work *pokeWork, n int) (held uint32, synced uint64, written bool) {
	// SAFETY: as in stopAndWrite.
	signalled := 0
	// base is the first who comes to find hold set: the fence of the store comes before
	// the load, and a thread in park counts itself in before it looks at hold. Who came
	// earlier, by a signal of an earlier try, is to be gone.
	for load(&stop.left) != load(&stop.arrived) {
		rawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0, 0)
	}
	store(&stop.hold, 1)
	base := load(&stop.arrived)
	if load(&stop.left) != base {
		letGo()
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
				in, had := false, false
				for i := base; i != arrived; i++ {
					if load(&stop.tids[i%mostThreads]) == tid {
						in = true
						break
					}
				}
				for i := 0; i < signalled && !in; i++ {
					if told[i] == tid {
						had = true
						break
					}
				}
				if in {
					continue
				}
				all = false
				if !had {
					told[signalled] = tid
					signalled++
					rawSyscall(unix.SYS_TGKILL, process, uintptr(tid), uintptr(parkSignal), 0)
				}
			}
		}
		if !all {
			if scans == mostScans || signalled == mostThreads {
				letGo()
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
	letGo()
	return held, synced, true
}

// letGo lets everybody in park go on.
//
//go:nosplit
//go:norace
func letGo() {
	store(&stop.hold, 0)
	// SAFETY: a global.
	rawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&stop.hold)), futexWakePrivate, everybody, 0)
}

// mostScans is how many a try may take before all are let go: a thread in a handler of the
// runtime's may spin for what a thread in park has. After mostTries, which take seconds,
// there is a thread that never comes.
const (
	mostScans = 5000
	mostTries = 100
)
