package host

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// isolated returns the CPUs that the scheduler leaves alone (isolcpus=, or an isolated cpuset).
// known is false if the kernel does not tell.
func (p probe) isolated() (list []int, known bool) {
	const file = cpus + "isolated"
	list, err := parseCPUs(p.text(file))
	_, missing := fs.Stat(p.fs, file) // an empty file says that none is isolated
	return list, err == nil && missing == nil
}

func (m machine) isolation() string {
	list, known := m.isolated()
	switch {
	case !known:
		return ""
	case len(list) == 0:
		return "none"
	}
	return fmt.Sprintf("%s, and this process may use %s", FormatCPUs(list), cmp.Or(FormatCPUs(m.allowed), "none known"))
}

// onlyIsolated reports whether this process may use isolated CPUs only.
func (m machine) onlyIsolated() bool {
	list, _ := m.isolated()
	return len(m.allowed) > 0 && !slices.ContainsFunc(m.allowed, func(cpu int) bool { return !slices.Contains(list, cpu) })
}

// joinOther is the command that adds a CPU which is not isolated.
func (m machine) joinOther() string {
	online, _ := parseCPUs(m.text(cpus + "online")) // on an error none are known
	list, _ := m.isolated()
	other := slices.IndexFunc(online, func(cpu int) bool { return !slices.Contains(list, cpu) })
	if other < 0 {
		return "nothing to do: every CPU is isolated; take isolcpus= from the kernel's command line"
	}
	use := append(slices.Clone(m.allowed), online[other])
	slices.Sort(use)
	return fmt.Sprintf("taskset -c %s tpbench", FormatCPUs(use))
}
