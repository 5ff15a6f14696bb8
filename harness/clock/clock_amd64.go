//go:build linux && !purego

package clock

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/unix"
)

// Start reads the counter at the beginning of a timed part: everything before
// it has finished, nothing after it has begun.
func Start() uint64

// Stop reads the counter at the end of a timed part: everything before it has
// finished, nothing after it has begun. Stores may still sit in the store buffer.
func Stop() uint64

// cpuidLeaf executes CPUID for a leaf without sub-leaves. Package cpuid does not decode the leaf
// that usable needs.
func cpuidLeaf(leaf uint32) (eax, edx uint32)

const (
	pairs    = 1 << 16               // empty pairs read for precision and overhead: 1-2 ms
	brackets = 256                   // reads at each mark, of which the narrowest counts: < 0.1 ms
	halfTime = 60 * time.Millisecond // between the marks; a calibration has two such halves
)

// Open checks, measures and calibrates the TSC. It takes about 120 ms, most of it asleep, and
// as long again for each calibration that is disturbed.
func Open() (*Clock, error) {
	if err := usable(); err != nil {
		return nil, err
	}
	return repeat(measure)
}

// measure measures and calibrates once.
func measure() (*Clock, error) {
	// If the thread moves to another CPU between the reads of a pair, that pair is wrong. The
	// kernel may move it; with the lock, the Go scheduler does not.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ticks := make([]uint64, pairs)
	for i := range ticks {
		start := Start()
		ticks[i] = Stop() - start
	}
	quantum := step(ticks)
	if quantum == 0 {
		return nil, fmt.Errorf("clock: %w: the counter does not move: use another machine or hypervisor", ErrUnavailable)
	}
	rate, err := calibrate(quantum)
	if err != nil {
		return nil, err
	}
	if err := vetRate(Virtual(), rate); err != nil {
		return nil, err
	}
	return gauge(ticks, quantum, rate), nil
}

// usable returns an error if CPUID says that something is missing.
func usable() error { return vet(read()) }

// Virtual reports whether this process runs in a guest whose clock counts instructions. Such a clock knows
// nothing of the host.
func Virtual() bool { return read().virtual() }

func read() reading {
	top, _ := cpuidLeaf(0x80000000)
	_, power := cpuidLeaf(advancedPower)
	return reading{top, power, cpuid.CPU.Has(cpuid.RDTSCP), cpuid.CPU.HypervisorVendorString, os.Getenv(GuestEnv)}
}

// calibrate compares the counter with CLOCK_MONOTONIC_RAW over two halves.
func calibrate(step uint64) (Rate, error) {
	var m [3]mark
	for i := range m {
		if i > 0 {
			time.Sleep(halfTime)
		}
		var err error
		if m[i], err = takeMark(); err != nil {
			return Rate{}, err
		}
	}
	return agree(m, step)
}

// takeMark reads the kernel's clock between two reads of the counter, several times, and
// returns the mark of the smallest width.
func takeMark() (mark, error) {
	best := mark{width: math.MaxUint64}
	for range brackets {
		var ts unix.Timespec
		start := Start()
		err := unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &ts)
		stop := Stop()
		if err != nil {
			return mark{}, fmt.Errorf("clock: %w: clock_gettime(CLOCK_MONOTONIC_RAW): %w: allow it in the sandbox", ErrUnavailable, err)
		}
		// If the thread moved to a CPU whose counter is behind, stop-start is huge: not the smallest.
		if w := stop - start; w < best.width {
			best = mark{tick: start, width: w, ns: ts.Nano()}
		}
	}
	return best, nil
}
