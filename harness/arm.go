package harness

import (
	"regexp"
	"slices"
)

// Written returns names of the case as the file has them, with the arm as a key. The worker is asked
// for names without it.
func (c *Planned) Written(names []string) []string {
	names = slices.Clone(names)
	for i, name := range names {
		names[i] = withArm(name, c.Arm)
	}
	return names
}

// procsRE matches what go test appends to a name: the number of CPUs it ran with, if that is not 1. Package
// results takes the same off, so "X/size-1" is a whole name for both.
var procsRE = regexp.MustCompile(`-([2-9]|[1-9][0-9]+)$`)

// withArm appends the key arm to a benchmark's name, before what go test has appended. Without
// an arm it returns the name.
func withArm(name, arm string) string {
	if arm == "" {
		return name
	}
	procs := procsRE.FindString(name)
	return name[:len(name)-len(procs)] + "/arm=" + arm + procs
}

// benchRE matches the beginning of a benchmark line.
var benchRE = regexp.MustCompile(`(?m)^Benchmark(\S+)[ \t]`)

// prints reports whether lines has a benchmark line of that name.
func prints(lines []byte, name string) bool {
	return slices.ContainsFunc(benchRE.FindAllSubmatch(lines, -1), func(m [][]byte) bool { return string(m[1]) == name })
}

// printsOthers reports whether lines has a benchmark line of another name than these.
func printsOthers(lines []byte, names []string) bool {
	return slices.ContainsFunc(benchRE.FindAllSubmatch(lines, -1), func(m [][]byte) bool { return !slices.Contains(names, string(m[1])) })
}

// Rename gives the arm to every benchmark line of a worker, also to one that
// the task does not name: without the key that line would count for another arm.
func Rename(lines []byte, arm string) []byte {
	return benchRE.ReplaceAllFunc(lines, func(begin []byte) []byte {
		name, space := begin[:len(begin)-1], begin[len(begin)-1:]
		return append([]byte(withArm(string(name), arm)), space...)
	})
}
