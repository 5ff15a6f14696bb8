package clock

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
)

// A reading is what CPUID and the environment say about the counter.
type reading struct {
	top        uint32 // the highest extended leaf
	power      uint32 // EDX of leaf 0x80000007, if there is one
	rdtscp     bool
	hypervisor string // of leaf 0x40000000; "" if that has no name
	guest      string // the value of GuestEnv
}

// emulated reports whether QEMU's emulation makes the counter. It has a name for its CPUs that no other machine has.
func (r reading) emulated() bool { return r.hypervisor == "TCGTCGTCGTCG" }

// virtual reports whether the counter counts the instructions of a guest. An emulated one may also be the host's. The
// environment tells the two apart, and alone it says nothing: anybody can set it.
func (r reading) virtual() bool { return r.emulated() && r.guest == GuestVirtual }

// vouched reports whether the counter needs no invariant bit, which the emulation does not have: a virtual one cannot
// change its rate, and that of a guest in wall time is the host's, where the process that booted the guest has checked it.
func (r reading) vouched() bool {
	return r.emulated() && (r.guest == GuestVirtual || r.guest == GuestWall)
}

// vet judges a reading.
func vet(r reading) error {
	const invariantTSC = 1 << 8
	switch {
	case !r.vouched() && (r.top < advancedPower || r.power&invariantTSC == 0):
		return fmt.Errorf("clock: %w: it is not invariant (CPUID 0x80000007 EDX bit 8): use another machine, or have the hypervisor pass the bit on (qemu: -cpu host,+invtsc)", ErrUnavailable)
	case !r.rdtscp:
		return fmt.Errorf("clock: %w: no RDTSCP: use another machine, or have the hypervisor pass it on (qemu: -cpu host)", ErrUnavailable)
	}
	return nil
}

// advancedPower is the leaf that says whether the counter is invariant.
const advancedPower = 0x80000007

// vetRate judges the rate of a counter that is virtual by its reading. If it does not count nanoseconds, the environment
// has said what is not so: the guest's clock is the host's.
func vetRate(virtual bool, rate Rate) error {
	const hz, share = 1e9, 0.01 // the kernel's clock, with which the rate was measured, is better than that
	if virtual && !(math.Abs(rate.Hz-hz) <= share*hz) {
		return fmt.Errorf("clock: %w: %s says that one tick is a nanosecond of virtual time, and a second has %.0f: boot the guest with qemu's -icount shift=0", ErrUnavailable, GuestEnv, rate.Hz)
	}
	return nil
}

// step returns the step of a counter from the ticks that many empty pairs read: the most frequent
// difference other than 0 between one pair and the next. The shortest pair is not the step, because
// a pair takes longer than that. The smallest difference is not the step, because it is 1 where a
// hypervisor scales and rounds the counter. If all pairs read the same, the step is at most that,
// and step returns it. All but a few are all: where a tick is an instruction, the only other pairs are those that an
// interrupt hit. 0: the counter stands still.
func step(pairs []uint64) uint64 {
	count := map[uint64]int{}
	for i := 1; i < len(pairs); i++ {
		if d := max(pairs[i], pairs[i-1]) - min(pairs[i], pairs[i-1]); d > 0 {
			count[d]++
		}
	}
	best := mode(count)
	const few = 1000 // one in so many
	if count[best]*few < len(pairs) {
		all := map[uint64]int{}
		for _, p := range pairs {
			all[p]++
		}
		return mode(all)
	}
	return best
}

// mode returns the most frequent number, the smallest if there are several; 0 if there is none.
func mode(count map[uint64]int) (best uint64) {
	for d, n := range count {
		if n > count[best] || n == count[best] && d < best {
			best = d
		}
	}
	return best
}

// quantile returns the q-quantile of sorted ticks as grouped data: each reading
// stands for an interval of one step around it, in which the true values are spread evenly.
// Where two readings are closer than a step, their intervals end halfway between them. If the
// intervals overlapped, a higher quantile could be lower.
func quantile(sorted []uint64, q float64, step uint64) float64 {
	rank := q * float64(len(sorted))
	v := sorted[min(int(rank), len(sorted)-1)]
	first, _ := slices.BinarySearch(sorted, v)
	after := sort.Search(len(sorted), func(i int) bool { return sorted[i] > v })
	low, high := float64(v)-float64(step)/2, float64(v)+float64(step)/2
	if first > 0 {
		low = max(low, float64(v)-float64(v-sorted[first-1])/2)
	}
	if after < len(sorted) {
		high = min(high, float64(v)+float64(sorted[after]-v)/2)
	}
	within := (rank - float64(first)) / float64(after-first)
	return max(0, low+within*(high-low))
}

// gauge returns a clock with the step, the rate and the overhead of the pairs, which it sorts.
func gauge(pairs []uint64, step uint64, rate Rate) *Clock {
	slices.Sort(pairs)
	ns := func(ticks float64) float64 { return ticks * 1e9 / rate.Hz }
	return &Clock{
		rate:      rate,
		precision: ns(float64(step)),
		overhead: Overhead{
			Median: ns(quantile(pairs, 0.5, step)),
			P10:    ns(quantile(pairs, 0.1, step)),
			P90:    ns(quantile(pairs, 0.9, step)),
		},
	}
}

// A mark is one moment on both clocks: CLOCK_MONOTONIC_RAW was ns when the counter was
// in [tick, tick+width+step).
type mark struct {
	tick, width uint64
	ns          int64
}

// agree returns the rate between the first mark and the last, if the rates of the two halves
// agree within their bounds. If they do not, one of the clocks has jumped or changed its rate:
// a guest was migrated or suspended, or its TSC is emulated.
func agree(m [3]mark, step uint64) (Rate, error) {
	first, second := rateBetween(m[0], m[1], step), rateBetween(m[1], m[2], step)
	if d := math.Abs(first.Hz - second.Hz); !(d <= first.Uncertainty+second.Uncertainty) {
		return Rate{}, fmt.Errorf("clock: %w: the TSC and CLOCK_MONOTONIC_RAW do not agree (%.0f Hz in one half of the calibration, %.0f in the other)",
			errDisturbed, first.Hz, second.Hz)
	}
	return rateBetween(m[0], m[2], step), nil
}

// rateBetween returns the rate between two marks with its bound. Each mark is exact to half its
// width plus half a step, and both reads of the kernel's clock to a nanosecond.
func rateBetween(a, b mark, step uint64) Rate {
	middle := func(m mark) float64 { return float64(m.width) / 2 }
	ticks := float64(b.tick-a.tick) + middle(b) - middle(a)
	ns := float64(b.ns - a.ns)
	hz := ticks * 1e9 / ns
	slack := middle(a) + middle(b) + float64(step) // ticks
	return Rate{Hz: hz, Uncertainty: slack*1e9/ns + hz/ns}
}

// tries is how many calibrations in a row may fail before [Open] fails.
const tries = 5

// repeat calibrates until a calibration passes check. After tries disturbed ones it returns the
// error of the last. Any other error it returns at once.
func repeat(calibrate func() (*Clock, error)) (*Clock, error) {
	var last error
	for range tries {
		c, err := calibrate()
		if err == nil {
			err = c.check()
		}
		if err == nil {
			return c, nil
		}
		last = err
		if !errors.Is(err, errDisturbed) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: %d calibrations in a row failed, the last one with: %w; stop what else runs here and try again, or use another machine", ErrUnavailable, tries, last)
}
