//go:build linux

package textpoke

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls"
)

// parkSignal is a signal that Go's runtime leaves to the C library. The runtime never blocks
// it, and os/signal does not offer it, so no code of the program can take it away. (It is
// musl's SIGSYNCCALL.)
const parkSignal = 34

// mostThreads is how many threads can be held. The runtime makes at most 10,000.
const mostThreads = 1 << 14

// stop is what park, the handler of parkSignal, and stopAndWrite share.
var stop stopState

// Atomic instructions write a stopState, except for tids: a thread writes its own entry, after
// it has counted itself in and before it counts itself out.
type stopState struct {
	hold    uint32              // threads stay in park until it is 0; a futex
	arrived uint32              // threads that have entered park, since the process began
	left    uint32              // threads that have left park, since the process began
	tids    [mostThreads]uint32 // the threads in park, by arrival; 0 for an unused entry
}

// signalled are the threads to which stopAndWrite has sent the signal. Only it uses them.
var signalled [mostThreads]uint32

// entries is the buffer into which stopAndWrite reads a directory.
var entries [1 << 16]byte

// tasks is /proc/self/task, which stays open; -1 before that. Protected by textMutex.
var tasks = -1

func parkPC() uintptr
func rawSyscall(nr, a, b, c, d uintptr) uintptr

//go:noescape
func load(p *uint32) uint32

//go:noescape
func store(p *uint32, v uint32)

//lint:ignore U1000 the kernel calls it
func park()

//go:noescape
func writeAligned(work *pokeWork, n int)

// installPark installs park, as install does trap. textMutex must be held.
func installPark() error {
	if tasks >= 0 {
		return nil
	}
	if err := install(); err != nil {
		return err
	}
	fd, err := unix.Open("/proc/self/task", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("textpoke: listing this process's threads: /proc/self/task: %w", err)
	}
	if err := handle(parkSignal, parkPC()); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	tasks = fd
	return nil
}

// checkStop is Check for stopReaders.
func checkStop() error {
	if err := Check(); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/task", &st); err != nil {
		return &impls.UnsupportedError{What: "holding every thread", Why: "/proc/self/task, which lists this process's threads: " + err.Error(), Do: "mount /proc"}
	}
	return nil
}
