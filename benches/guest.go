package benches

import (
	"slices"
	"strings"
)

// InGuest narrows chosen cases to those that a guest can measure, whose CPUs are emulated, and returns the
// names of the benchmarks that it leaves out, each with the value of its cases if it leaves out some. Torture is
// among them: it looks for races of CPUs, and those of a guest run in turns. Whether a case can run in the guest is
// found out there, so Check of these cases finds nothing.
func InGuest(chosen []Chosen) (can []Chosen, left []string) {
	for _, ch := range chosen {
		var cases []Case
		for _, c := range ch.Cases {
			if out := c.hardware(); out != "" {
				if !slices.Contains(left, out) {
					left = append(left, out)
				}
				continue
			}
			c.Check = func() error { return nil }
			cases = append(cases, c)
		}
		if len(cases) > 0 {
			can = append(can, Chosen{cases, ch.Rounds})
		}
	}
	return can, left
}

// hardware returns the name of the benchmark, and the value by which this case is one that measures hardware; or "".
func (c *Case) hardware() string {
	name := c.Benchmark.Names[0]
	for _, which := range c.Benchmark.hardware {
		if which == "" {
			return name
		}
		if key, value, _ := strings.Cut(which, "="); c.keys[key] == value {
			return name + "/" + which
		}
	}
	return ""
}
