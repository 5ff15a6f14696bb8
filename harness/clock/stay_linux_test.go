package clock

import "golang.org/x/sys/unix"

// stay pins the calling thread to the first of its CPUs.
func stay() error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return err
	}
	for cpu := 0; ; cpu++ {
		if set.IsSet(cpu) {
			set.Zero()
			set.Set(cpu)
			return unix.SchedSetaffinity(0, &set)
		}
	}
}
