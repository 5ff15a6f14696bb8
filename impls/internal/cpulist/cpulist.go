// Package cpulist reads the kernel's lists of CPUs, such as /sys/devices/system/cpu/online: "0-3,8".
package cpulist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Parse returns the CPUs of a list. White space around it is ignored.
func Parse(text string) (cpus []int, err error) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("the list of CPUs is %q: %w", text, err)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}
