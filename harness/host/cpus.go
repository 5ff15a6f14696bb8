package host

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCPU bounds the numbers that parseCPUs accepts: 8 times the largest NR_CPUS of Linux.
const maxCPU = 1 << 16

// parseCPUs parses a list of CPUs in the format of the kernel and of taskset: "0-3,8".
// The result is sorted, without duplicates, and empty for an empty list.
func parseCPUs(list string) ([]int, error) {
	var cpus []int
	list = strings.TrimSpace(list)
	if list == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, err1 := strconv.ParseUint(from, 10, 32)
		b, err2 := strconv.ParseUint(to, 10, 32)
		if err1 != nil || err2 != nil || a > b || b >= maxCPU {
			return nil, fmt.Errorf("host: %q in CPU list %q: want N or N-M with N <= M < %d", part, list, maxCPU)
		}
		for cpu := int(a); cpu <= int(b); cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

// FormatCPUs is the inverse of parseCPUs.
func FormatCPUs(cpus []int) string {
	var b strings.Builder
	for i := 0; i < len(cpus); i++ {
		first := i
		for i+1 < len(cpus) && cpus[i+1] == cpus[i]+1 {
			i++
		}
		if first > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, cpus[first])
		if i > first {
			fmt.Fprintf(&b, "-%d", cpus[i])
		}
	}
	return b.String()
}
