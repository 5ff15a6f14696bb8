package host

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// start is the CPUs of the first thread that calls it. Every Pin calls it before it
// narrows a mask, so these are the CPUs that the process was started with.
var start = sync.OnceValues(func() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, &UnavailableError{"the kernel does not tell which CPUs this process may use", "allow sched_getaffinity in the sandbox", err}
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

// Pin binds the calling goroutine to its thread and the thread to one CPU. Neither can be
// undone: the thread ends with the goroutine. Where the CPU is busy Pin takes a tick (4 ms),
// so call it once, before anything is timed. The error is an *[UnavailableError].
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
	// The kernel narrows the mask to the cpuset and reports no error, so read it back.
	if err := unix.SchedGetaffinity(0, &got); err != nil || got != want {
		return &UnavailableError{
			What: fmt.Sprintf("the kernel gave this thread other CPUs than CPU %d", cpu),
			Do:   "find what else sets the CPUs of this process (a cpuset daemon, taskset -a)",
			Err:  err,
		}
	}
	return nil
}

// Switches returns how often the kernel has taken the CPU away from the calling thread.
// Call Pin before, or the Go scheduler may run two calls on two threads, whose counts are
// not of one thread. It is one system call, 0.2-0.5 us.
func Switches() (int64, error) {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &use); err != nil {
		return 0, &UnavailableError{"the kernel does not count context switches", "allow getrusage in the sandbox", err}
	}
	return int64(use.Nivcsw), nil // 32 bits wide on some
}

// queryMembarrier returns the commands of membarrier(2) that the kernel offers.
func queryMembarrier() (membarrier, error) {
	const query = 0 // linux/membarrier.h
	mask, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, query, 0, 0)
	if errno != 0 {
		return 0, &UnavailableError{"no membarrier(2)", "use a kernel with CONFIG_MEMBARRIER, or allow the call in the sandbox", errno}
	}
	return membarrier(mask), nil
}

// tryRWX returns nil if a page can be writable and executable at once, or why it cannot.
func tryRWX() error {
	const rw = unix.PROT_READ | unix.PROT_WRITE
	if v, err := unix.PrctlRetInt(unix.PR_GET_MDWE, 0, 0, 0, 0); err == nil && v&unix.PR_MDWE_REFUSE_EXEC_GAIN != 0 {
		return errors.New("PR_SET_MDWE forbids it")
	}
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), rw|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("mmap RWX: %w", err)
	}
	defer unix.Munmap(page) // an error here leaves one page mapped
	if err := errors.Join(unix.Mprotect(page, rw), unix.Mprotect(page, rw|unix.PROT_EXEC)); err != nil {
		return fmt.Errorf("mprotect RW, RWX: %w", err)
	}
	return nil
}

// tryCounters returns nil if the cycles of this thread can be counted, or why they cannot.
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
