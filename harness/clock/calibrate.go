package clock

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
)

// vet judges what CPUID says: whether there is a leaf 0x80000007, EDX of that leaf, and whether
// there is RDTSCP.
func vet(leaf bool, power uint32, rdtscp bool) error {
	const invariantTSC = 1 << 8
	switch {
	case !leaf || power&invariantTSC == 0:
		return fmt.Errorf("clock: %w: it is not invariant (CPUID 0x80000007 EDX bit 8): use another machine, or have the hypervisor pass the bit on (qemu: -cpu host,+invtsc)", ErrUnavailable)
	case !rdtscp:
		return fmt.Errorf("clock: %w: no RDTSCP: use another machine, or have the hypervisor pass it on (qemu: -cpu host)", ErrUnavailable)
	}
	return nil
}

// step returns the step of a counter from the ticks that many empty pairs read: the most frequent
// difference other than 0 between one pair and the next. The shortest pair is not the step, because
// a pair takes longer than that. The smallest difference is not the step, because it is 1 where a
// hypervisor scales and rounds the counter. If all pairs read the same, the step is at most that,
// and step returns it. 0: the counter stands still.
func step(pairs []uint64) uint64 {
	count := map[uint64]int{}
	for i := 1; i < len(pairs); i++ {
		if d := max(pairs[i], pairs[i-1]) - min(pairs[i], pairs[i-1]); d > 0 {
			count[d]++
		}
	}
	if len(count) == 0 {
		return pairs[0]
	}
	var best uint64
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
