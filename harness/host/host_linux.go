package host

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// start is the mask of the first thread that asks. Every Pin asks before it
// narrows anything, so this is the mask the process was started with.
var start = sync.OnceValues(func() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, &UnavailableError{"the kernel does not say which CPUs are ours", "allow sched_getaffinity in the sandbox", err}
	}
	var cpus []int
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
})

// Allowed returns the CPUs this process might use when it started, in order,
// whatever [Pin] has done since.
func Allowed() ([]int, error) {
	cpus, err := start()
	return slices.Clone(cpus), err
}

// Pin binds the calling goroutine to its thread and the thread to one CPU, for
// good: the thread ends with the goroutine. It costs a tick (4 ms) where the CPU
// is busy, so pin once, before anything is timed. The error is an
// *[UnavailableError].
func Pin(cpu int) error {
	allowed, err := Allowed()
	if err != nil {
		return err
	}
	if !slices.Contains(allowed, cpu) {
		return &UnavailableError{
			What: fmt.Sprintf("CPU %d is not among the CPUs this process may use (%s)", cpu, FormatCPUs(allowed)),
			Do:   fmt.Sprintf("choose one of these, or start it with more: taskset -c %d,… or a wider cpuset", cpu),
		}
	}
	runtime.LockOSThread()
	var want, got unix.CPUSet
	want.Set(cpu)
	if err := unix.SchedSetaffinity(0, &want); err != nil {
		runtime.UnlockOSThread() // nothing has changed
		return &UnavailableError{
			What: fmt.Sprintf("the kernel does not let this process run on CPU %d, which was among its CPUs (%s) at the start", cpu, FormatCPUs(allowed)),
			Do:   "put the CPU online again, or widen the cpuset",
			Err:  err,
		}
	}
	// The kernel cuts the mask to the cpuset without a word, so look.
	if err := unix.SchedGetaffinity(0, &got); err != nil || got != want {
		return &UnavailableError{
			What: fmt.Sprintf("asked for CPU %d and got another mask", cpu),
			Do:   "see what else moves this process (cpuset daemon, taskset -a)",
			Err:  err,
		}
	}
	return nil
}

// Switches returns how often the calling thread has been made to yield its CPU.
// Pin first, or the count is of one thread before and of another after. One
// system call, 0.2-0.5 us.
func Switches() (int64, error) {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &use); err != nil {
		return 0, &UnavailableError{"the kernel does not count context switches", "allow getrusage in the sandbox", err}
	}
	return int64(use.Nivcsw), nil // 32 bits wide on some
}

// QueryMembarrier asks the kernel which commands of membarrier(2) it offers.
func QueryMembarrier() (Membarrier, error) {
	const query = 0 // linux/membarrier.h
	mask, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, query, 0, 0)
	if errno != 0 {
		return Membarrier{}, &UnavailableError{"no membarrier(2)", "use a kernel with CONFIG_MEMBARRIER, or allow the call in the sandbox", errno}
	}
	return offered(mask), nil
}

// offered decodes the answer to a query.
func offered(mask uintptr) Membarrier {
	const global, private, syncCore = 1 << 0, 1 << 3, 1 << 5 // linux/membarrier.h
	return Membarrier{mask&global != 0, mask&private != 0, mask&syncCore != 0}
}

// tryRWX reports why a page can not be writable and executable at once, if so.
func tryRWX() error {
	const rw = unix.PROT_READ | unix.PROT_WRITE
	if v, err := unix.PrctlRetInt(unix.PR_GET_MDWE, 0, 0, 0, 0); err == nil && v&unix.PR_MDWE_REFUSE_EXEC_GAIN != 0 {
		return errors.New("PR_SET_MDWE forbids it")
	}
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), rw|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("mmap RWX: %w", err)
	}
	defer unix.Munmap(page) // if this fails, nobody can mend it
	if err := errors.Join(unix.Mprotect(page, rw), unix.Mprotect(page, rw|unix.PROT_EXEC)); err != nil {
		return fmt.Errorf("mprotect RW, RWX: %w", err)
	}
	return nil
}

// tryCounters reports why the cycles of this thread can not be counted, if so.
func tryCounters() error {
	attr := unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_HARDWARE,
		Config: unix.PERF_COUNT_HW_CPU_CYCLES,
		Size:   unix.PERF_ATTR_SIZE_VER0,
		Bits:   unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv | unix.PerfBitDisabled,
	}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("perf_event_open: %w", err)
	}
	return unix.Close(fd)
}
