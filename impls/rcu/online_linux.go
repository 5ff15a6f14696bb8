package rcu

import (
	"os"
	"strconv"
	"strings"
)

// onlineCPUs counts the CPUs in /sys/devices/system/cpu/online ("0-3,8"), or assumes 2 if the
// file cannot be read. The number of CPUs that this process may use does not matter:
// membarrier goes by the kernel's own count.
func onlineCPUs() int {
	list, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return 2
	}
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(string(list)), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if errA != nil || errB != nil {
			return 2
		}
		n += b - a + 1
	}
	return n
}
