//go:build linux

package textpoke

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls"
)

// parkSignal is one that Go's runtime leaves to the C library, never blocks, and does not
// offer through os/signal: nobody can take it away. (It is musl's SIGSYNCCALL.)
const parkSignal = 34

// mostThreads is how many can be held: more than the runtime makes, 10,000.
const mostThreads = 1 << 14

// stop is what park and stopAndWrite share.
var stop stopState

// A stopState is written by atomic instructions, but for tids: a thread writes its own
// place, when it has been counted in, and before it is counted out.
type stopState struct {
	hold    uint32              // park until it is 0; a futex
	arrived uint32              // threads that have come to park, ever
	left    uint32              // threads that have gone from there, ever
	tids    [mostThreads]uint32 // of those in park; 0 where nobody is
}

// told are the threads that have had their signal. Only stopAndWrite looks at it.
var told [mostThreads]uint32

// entries is what stopAndWrite reads directories into.
var entries [1 << 16]byte

// tasks is /proc/self/task, open for good. Protected by textMutex.
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

// installPark installs the handler, which is the runtime's sigaction with another address,
// as trap's is. textMutex must be held.
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
	var act sigaction
	errno := rtSigaction(unix.SIGTRAP, nil, &act)
	if errno == 0 {
		act.handler = parkPC()
		errno = rtSigaction(unix.Signal(parkSignal), &act, nil)
	}
	if errno != 0 {
		return errors.Join(fmt.Errorf("textpoke: installing the handler of signal %d: %w", parkSignal, errno), unix.Close(fd))
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
		return &impls.UnsupportedError{What: "stop-readers", Why: "/proc/self/task, which lists this process's threads: " + err.Error(), Do: "mount /proc"}
	}
	return nil
}
