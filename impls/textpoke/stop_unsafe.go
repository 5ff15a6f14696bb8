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

// stopAndWrite is steps 1 to 5 of stopReaders. It returns how many threads it held. No
// prologue, no allocation, no race annotation, no call of anything that has one: the
// threads that it holds may have the runtime's locks.
//
//go:nosplit
//go:norace
func stopAndWrite(work *pokeWork, n int) uint32 {
	// SAFETY: what is passed to the kernel are globals, and two words of this frame, which
	// cannot move: nobody else runs.
	mask, before := allSignals, uint64(0)
	rawSyscall(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&before)), unsafe.Sizeof(mask))
	self := uint32(rawSyscall(unix.SYS_GETTID, 0, 0, 0, 0))
	process := rawSyscall(unix.SYS_GETPID, 0, 0, 0, 0)
again:
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
		goto again
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
				held, had := false, false
				for i := base; i != arrived; i++ {
					if load(&stop.tids[i%mostThreads]) == tid {
						held = true
						break
					}
				}
				for i := 0; i < signalled && !held; i++ {
					if told[i] == tid {
						had = true
						break
					}
				}
				if held || had && scans > patient && leaving(tid) {
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
			if scans == mostScans {
				letGo()
				goto again
			}
			rawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0, 0)
		}
	}

	writeTails(work, n)
	writeHeads(work, n)
	rawSyscall(unix.SYS_MEMBARRIER, membarrierCmdSyncCore, 0, 0, 0)

	held := load(&stop.arrived) - base
	letGo()
	rawSyscall(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&before)), 0, unsafe.Sizeof(mask))
	return held
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

// mostScans is how many a stop may take before all are let go and it begins again: a thread
// in a handler of the runtime's may spin for what a thread in park has.
const mostScans = 5000

// patient is how many scans a thread may take to come to park before it is looked at.
const patient = 16

// leaving reports whether a thread that has had its signal blocks it and sleeps on a futex,
// which threads of the runtime do on their way out and never else (mexit; the main thread
// stays like that for good when a goroutine that was locked to it has ended). It executes
// no site any more.
//
// The signal is pending in the first file. If the thread unblocked it after that, it would
// be in park, and the futex in the second file hold.
//
//go:nosplit
//go:norace
func leaving(tid uint32) bool {
	at := len(threadPath) - 1
	for ; tid > 0; tid /= 10 {
		at--
		threadPath[at] = '0' + byte(tid%10)
	}
	// SAFETY: globals, alive for good.
	path := unsafe.Pointer(&threadPath[at])
	n := readThread(path, &statusName)
	i := 0
	for i+24 < n && !(threadFile[i+2] == 'g' && threadFile[i+3] == 'P' && threadFile[i+6] == ':') {
		i++ // SigPnd:<tab>16 hexadecimal digits
	}
	if i+24 >= n {
		return false
	}
	pending := uint64(0)
	for _, c := range threadFile[i+8 : i+24] {
		digit := uint64(c - '0')
		if c >= 'a' {
			digit = uint64(c-'a') + 10
		}
		pending = pending<<4 | digit
	}
	if pending>>(parkSignal-1)&1 == 0 {
		return false
	}
	n = readThread(path, &syscallName)
	if n < 6 || threadFile[0] != '2' || threadFile[1] != '0' || threadFile[2] != '2' || threadFile[3] != ' ' {
		return false
	}
	futex := uintptr(0)
	for i := 6; i < n && threadFile[i] != ' '; i++ { // behind "202 0x"
		digit := uintptr(threadFile[i] - '0')
		if threadFile[i] >= 'a' {
			digit = uintptr(threadFile[i]-'a') + 10
		}
		futex = futex<<4 | digit
	}
	return futex != uintptr(unsafe.Pointer(&stop.hold))
}

// readThread reads a file of a thread's directory into threadFile: number/name.
//
//go:nosplit
//go:norace
func readThread(number unsafe.Pointer, name *[9]byte) int {
	// SAFETY: as in leaving; both names end with a zero.
	dir := rawSyscall(unix.SYS_OPENAT, uintptr(tasks), uintptr(number), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if int(dir) < 0 {
		return 0
	}
	n := 0
	if fd := rawSyscall(unix.SYS_OPENAT, dir, uintptr(unsafe.Pointer(name)), unix.O_RDONLY|unix.O_CLOEXEC, 0); int(fd) >= 0 {
		n = int(rawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&threadFile)), unsafe.Sizeof(threadFile), 0))
		rawSyscall(unix.SYS_CLOSE, fd, 0, 0, 0)
	}
	rawSyscall(unix.SYS_CLOSE, dir, 0, 0, 0)
	return n
}

// What leaving works with.
var (
	threadPath  [11]byte // digits at its end, but for the zero
	threadFile  [4096]byte
	statusName  = [9]byte{'s', 't', 'a', 't', 'u', 's'}
	syscallName = [9]byte{'s', 'y', 's', 'c', 'a', 'l', 'l'}
)
