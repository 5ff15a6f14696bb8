//go:build linux && !purego

package clock

import (
	"fmt"
	"math"
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

// cpuidLeaf executes CPUID for a leaf whose sub-leaf does not matter; package
// cpuid does not decode the leaf we need.
func cpuidLeaf(leaf uint32) (eax, edx uint32)

const (
	pairs    = 1 << 16               // empty pairs read for precision and overhead: 1-2 ms
	brackets = 256                   // tries for a tight bracket at each mark: < 0.1 ms
	halfTime = 60 * time.Millisecond // between marks; there are two such halves
)

// Open checks, measures and calibrates the TSC. It takes about 120 ms, nearly
// all of it asleep, and as much again for each time that a calibration is disturbed.
func Open() (*Clock, error) {
	if err := usable(); err != nil {
		return nil, err
	}
	return repeat(measure)
}

// measure measures and calibrates once.
func measure() (*Clock, error) {
	// A migration between the reads of a pair costs one sample; locking keeps
	// the Go scheduler from adding to what the kernel may do.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ticks := make([]uint64, pairs)
	for i := range ticks {
		start := Start()
		ticks[i] = Stop() - start
	}
	quantum := step(ticks)
	if quantum == 0 {
		return nil, fmt.Errorf("clock: %w: the counter stands still: use another machine or hypervisor", ErrUnavailable)
	}
	rate, err := calibrate(quantum)
	if err != nil {
		return nil, err
	}
	return gauge(ticks, quantum, rate), nil
}

// usable reports what CPUID says is missing, if anything.
func usable() error {
	const advancedPower = 0x80000007
	top, _ := cpuidLeaf(0x80000000)
	_, power := cpuidLeaf(advancedPower)
	return vet(top >= advancedPower, power, cpuid.CPU.Has(cpuid.RDTSCP))
}

// vet judges what CPUID says: whether the leaf 0x80000007 is there, its EDX, and whether
// there is RDTSCP.
func vet(told bool, power uint32, rdtscp bool) error {
	const invariantTSC = 1 << 8
	switch {
	case !told || power&invariantTSC == 0:
		return fmt.Errorf("clock: %w: it is not invariant (CPUID 0x80000007 EDX bit 8): use another machine, or have the hypervisor pass the bit on (qemu: -cpu host,+invtsc)", ErrUnavailable)
	case !rdtscp:
		return fmt.Errorf("clock: %w: no RDTSCP: use another machine, or have the hypervisor pass it on (qemu: -cpu host)", ErrUnavailable)
	}
	return nil
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

// takeMark reads the clock between two reads of the counter, several times, and
// keeps the tightest bracket.
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
		// After a hop to a CPU whose counter is behind, stop-start wraps and loses.
		if w := stop - start; w < best.width {
			best = mark{tick: start, width: w, ns: ts.Nano()}
		}
	}
	return best, nil
}
