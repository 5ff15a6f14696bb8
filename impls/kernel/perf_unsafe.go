//go:build linux

package kernel

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A perfFD is a descriptor of perf_event_open.
type perfFD int

// openPerf opens an event: of a task on every CPU (cpu = -1; the task 0 is the thread that calls),
// or of all tasks on one CPU (task = -1).
func openPerf(attr *unix.PerfEventAttr, task, cpu int) (perfEvent, error) {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err := unix.PerfEventOpen(attr, task, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("perf_event_open: %w", err)
	}
	return perfFD(fd), nil
}

// openTracepoint counts how often the calling thread fires a tracepoint.
func openTracepoint(id uint64) (perfEvent, error) {
	return openPerf(&unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id}, 0, -1)
}

// openSwitches counts context switches of all tasks on CPU 0.
func openSwitches() (perfEvent, error) {
	return openPerf(&unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CONTEXT_SWITCHES}, -1, 0)
}

// openProbe opens an event at an address: of a kernel function, by its name, or of an offset in a
// file, by its path. pmu is the number of the PMU "kprobe" or "uprobe".
func openProbe(pmu uint32, name string, offset uint64, task, cpu int) (perfEvent, error) {
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		return nil, err
	}
	// SAFETY: the attribute has the address of the text as a number. text is alive and is not moved
	// until the call returns.
	attr := &unix.PerfEventAttr{Type: pmu, Ext1: uint64(uintptr(unsafe.Pointer(text))), Ext2: offset}
	defer runtime.KeepAlive(text)
	return openPerf(attr, task, cpu)
}

// count returns how often the event has happened.
func (e perfFD) count() (uint64, error) {
	var b [8]byte
	if _, err := unix.Read(int(e), b[:]); err != nil {
		return 0, fmt.Errorf("reading a perf event: %w", err)
	}
	return binary.NativeEndian.Uint64(b[:]), nil
}

func (e perfFD) close() error { return unix.Close(int(e)) }
