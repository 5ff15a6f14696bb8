package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// excerpt describes what a worker that hung did, in at most 40 lines: its threads, those that
// sleep last, and the stacks that the runtime printed.
func excerpt(threads, stderr string) []string {
	const most, mostThreads, mostFrames = 40, 12, 4
	lines := strings.FieldsFunc(threads, func(r rune) bool { return r == '\n' })
	asleep := func(line string) int { return strings.Count(line, " S on CPU ") }
	slices.SortStableFunc(lines, func(a, b string) int { return asleep(a) - asleep(b) })
	if more := len(lines) - mostThreads; more > 0 {
		lines = append(lines[:mostThreads], fmt.Sprintf("and %s", plural(more, "more thread")))
	}
	for _, g := range goroutines(stderr) {
		if len(lines)+2 > most {
			break
		}
		lines = append(lines, g[:min(len(g), 1+mostFrames, most-len(lines))]...)
	}
	return lines
}

// What the runtime prints of a goroutine: its number, its state and, up to an empty line, its
// frames, in two lines each: the function and the place.
var (
	goroutineRE = regexp.MustCompile(`(?m)^goroutine (\d+) (?:\w+=\S+ )*\[(.*)\]:\n((?:.+\n)*)`)
	frameRE     = regexp.MustCompile(`(?m)^(?:.*/)?(\S+)\([^()\n]*\)\n\t(?:.*/)?(\S+)`)
)

// goroutines lists what those did that have frames outside of package runtime, whose frames
// say little. Each is a line and its frames, innermost first. First are those that run, then
// those of an attack's threads, then those that are ready to run. With its most verbose setting
// the runtime prints some of them twice, once without frames.
func goroutines(stderr string) (list [][]string) {
	for _, g := range goroutineRE.FindAllStringSubmatch(stderr, -1) {
		lines := []string{fmt.Sprintf("goroutine %s, %s", g[1], g[2])}
		for _, f := range frameRE.FindAllStringSubmatch(g[3], -1) {
			if !strings.HasPrefix(f[1], "runtime.") {
				lines = append(lines, fmt.Sprintf("  %s %s", f[1], f[2]))
			}
		}
		if len(lines) > 1 {
			list = append(list, lines)
		}
	}
	rank := func(g []string) int {
		return slices.IndexFunc([]string{"running", "locked to thread", "runnable", ""}, func(s string) bool { return strings.Contains(g[0], s) })
	}
	slices.SortStableFunc(list, func(a, b []string) int { return rank(a) - rank(b) })
	return list
}
