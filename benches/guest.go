package benches

import "slices"

// InGuest narrows chosen cases to those that a guest can measure, whose CPUs are emulated, and returns the
// names of the benchmarks that it leaves out. Torture is among them: it looks for races of CPUs, and those of a guest run
// in turns. Whether a case can run in the guest is found out there, so Check of these cases finds nothing.
func InGuest(chosen []Chosen) (can []Chosen, left []string) {
	for _, ch := range chosen {
		var cases []Case
		for _, c := range ch.Cases {
			if c.Benchmark.hardware {
				if name := c.Benchmark.Names[0]; !slices.Contains(left, name) {
					left = append(left, name)
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
