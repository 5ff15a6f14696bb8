//go:build amd64

package textpoke

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

func trapPC() uintptr

//go:noescape
func writeInt3s(work *pokeWork, n int)

//go:noescape
func writeTails(work *pokeWork, n int)

//go:noescape
func writeHeads(work *pokeWork, n int)

//go:noescape
func writeWords(work *pokeWork, n int)

func guardPC() uintptr

//lint:ignore U1000 the kernel calls it
func trap()

// previous is the handler that was installed before trap. trap jumps to it for a trap at no
// site. Written once, before trap is installed.
var previous uintptr

// installed is set when the handler is in place. Protected by textMutex.
var installed bool

// install registers the process with membarrier and installs trap for SIGTRAP, in front of the
// runtime's handler. The new sigaction is a copy of the runtime's (its alternate stack, its
// restorer, its full mask) with another address. os/signal does not change SIGTRAP's action,
// so trap stays installed. textMutex must be held.
func install() error {
	if installed {
		return nil
	}
	if err := Check(); err != nil {
		return err
	}
	if err := handle(unix.SIGTRAP, trapPC()); err != nil {
		return err
	}
	installed = true
	return nil
}

// handle makes the code at pc the handler of the signal. The rest of the action is SIGTRAP's. The
// first call finds the runtime's handler there, and remembers it.
func handle(sig unix.Signal, pc uintptr) error {
	var act sigaction
	if errno := rtSigaction(unix.SIGTRAP, nil, &act); errno != 0 {
		return fmt.Errorf("textpoke: reading the SIGTRAP handler: %w", errno)
	}
	if previous == 0 {
		previous = act.handler
	}
	act.handler = pc
	if errno := rtSigaction(sig, &act, nil); errno != 0 {
		return fmt.Errorf("textpoke: installing the handler of signal %d: %w", sig, errno)
	}
	return nil
}

// guarded is set when the guard of the patchers with a flag is installed. Protected by
// textMutex.
var guarded bool

// installGuard puts trapIfPatching<> in front of the trap handler. It stays there, so sound
// patchers do not work in this process any more. textMutex must be held.
func installGuard() {
	if guarded {
		return
	}
	if err := handle(unix.SIGTRAP, guardPC()); err != nil {
		panic("textpoke: the SIGTRAP handler could be replaced before: " + err.Error())
	}
	guarded = true
}

// Commands of membarrier(2).
const (
	membarrierQuery              = 0
	membarrierCmdSyncCore        = 1 << 5
	membarrierRegisterPrivSyncCo = 1 << 6
)

// membarrierSyncCore makes a core sync, and counts it (P5).
func membarrierSyncCore() {
	if _, _, errno := unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierCmdSyncCore, 0, 0); errno != 0 {
		panic("textpoke: membarrier SYNC_CORE, registered before, failed: " + errno.Error())
	}
	syncs.Add(1)
}

// Check reports why text cannot be patched here, or nil. It registers the process
// with membarrier.
func Check() error {
	have, _, errno := unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierQuery, 0, 0)
	if errno != 0 || have&membarrierCmdSyncCore == 0 {
		return unsupported("this kernel offers no membarrier PRIVATE_EXPEDITED_SYNC_CORE", "run on Linux 4.16 or later, outside sandboxes that filter system calls")
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierRegisterPrivSyncCo, 0, 0); errno != 0 {
		return unsupported("membarrier SYNC_CORE cannot be registered: "+errno.Error(), "see membarrier(2)")
	}
	if err := checkExecutable(); err != nil {
		return unsupported("memory may not be made writable and executable: "+err.Error(), "lift MemoryDenyWriteExecute= or SELinux execmem/execmod for this process")
	}
	if tracer := tracerPID(); tracer != "0" {
		return unsupported("process "+tracer+" is tracing this one and would take the traps for its own", "run without a debugger")
	}
	return nil
}

// checkExecutable tries on a page of its own what makeWritable will do with pages of code.
func checkExecutable() error {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	defer unix.Munmap(page)
	return unix.Mprotect(page, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC)
}

func tracerPID() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "0"
	}
	for line := range strings.Lines(string(status)) {
		if pid, ok := strings.CutPrefix(line, "TracerPid:"); ok {
			return strings.TrimSpace(pid)
		}
	}
	return "0"
}

// makeWritable makes the pages of the sites at pcs writable; they stay executable. It makes
// one call for each run of adjacent pages. textMutex must be held; pcs need not be sorted.
func makeWritable(pcs []uintptr) error {
	page := uintptr(os.Getpagesize())
	pages := make(map[uintptr]bool)
	for _, pc := range pcs {
		pages[pc&^(page-1)] = true
		pages[(pc+Size-1)&^(page-1)] = true
	}
	for first := range pages {
		if pages[first-page] {
			continue // in the middle of a run
		}
		end := first + page
		for pages[end] {
			end += page
		}
		if _, _, errno := unix.Syscall(unix.SYS_MPROTECT, first, end-first, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC); errno != 0 {
			return unsupported(fmt.Sprintf("mprotect of the code at %#x: %v", first, errno),
				"lift MemoryDenyWriteExecute= or SELinux execmod for this process")
		}
	}
	return nil
}

// Map returns n bytes of zeroed memory, writable and executable, within reach of a 32-bit
// displacement from this binary's text. It is never unmapped, so sites in it are as permanent
// as any. Code there may jump anywhere, but must not CALL Go code: Go's unwinder has no frame
// for it.
func Map(n int) ([]byte, error) {
	page := uintptr(os.Getpagesize())
	size := (uintptr(n) + page - 1) &^ (page - 1)
	// Look for a gap above the text, in steps of 16 MiB. MAP_FIXED_NOREPLACE fails if the
	// address is in use.
	const step, reach = 16 << 20, 1 << 30
	for hint := trapPC() &^ (page - 1); hint < trapPC()+reach; hint += step {
		addr, _, errno := unix.Syscall6(unix.SYS_MMAP, hint+step, size,
			unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC,
			unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED_NOREPLACE, ^uintptr(0), 0)
		if errno == unix.EEXIST {
			continue
		}
		if errno == 0 && addr != hint+step {
			errno = unix.ENOTSUP // before Linux 4.17 the flag was ignored
		}
		if errno != 0 {
			return nil, unsupported("mapping executable memory: "+errno.Error(),
				"lift MemoryDenyWriteExecute= or SELinux execmem for this process")
		}
		return Text(addr, n), nil
	}
	return nil, fmt.Errorf("textpoke: no gap of %d bytes within %d MiB of this binary's text", n, reach>>20)
}
