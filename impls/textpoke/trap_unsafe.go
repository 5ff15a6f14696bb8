//go:build linux && amd64

package textpoke

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct of that name; the C library's has another layout.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

func rtSigaction(sig unix.Signal, act, old *sigaction) unix.Errno {
	// SAFETY: both pointers are nil or point to a whole kernel sigaction, which stays alive
	// during the call; the last argument is the size of its mask.
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(act.mask), 0, 0)
	return errno
}

// Text returns the n bytes of code at pc, for reading.
func Text(pc uintptr, n int) []byte {
	// SAFETY: pc is an address in this binary's text or in a mapping by Map. Neither moves,
	// is freed, or holds Go pointers.
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&pc))), n)
}
