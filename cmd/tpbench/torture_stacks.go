package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// excerpt describes what a worker that hung did, in at most 40 lines: its threads, those that
// sleep last, and the stacks that the runtime printed.
func excerpt(threads, stderr string) []string {
	const most, mostThreads, mostFrames = 40, 12, 4
	var lines, asleep []string
	for line := range strings.Lines(threads) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, " S on CPU ") {
			asleep = append(asleep, line)
		} else {
			lines = append(lines, line)
		}
	}
	lines = append(lines, asleep...)
	if more := len(lines) - mostThreads; more > 0 {
		lines = append(lines[:mostThreads], fmt.Sprintf("and %s", plural(more, "more thread")))
	}
	for _, g := range goroutines(stderr) {
		if len(lines)+2 > most {
			break
		}
		lines = append(lines, fmt.Sprintf("goroutine %s, %s", g.id, g.state))
		for _, f := range g.frames[:min(len(g.frames), mostFrames, most-len(lines))] {
			lines = append(lines, "  "+f)
		}
	}
	return lines
}

// A goroutine is one of a dying process.
type goroutine struct {
	id, state string
	frames    []string // innermost first; those of package runtime say little
}

// goroutineHead begins what the runtime prints of a goroutine. With its most verbose
// setting it prints some of them twice, once without frames.
var goroutineHead = regexp.MustCompile(`^goroutine (\d+) (?:\w+=\S+ )*\[(.*)\]:$`)

// goroutines lists those that have frames: first those that run, then those of an attack's
// threads, then those that are ready to run.
func goroutines(stderr string) []*goroutine {
	var list []*goroutine
	var in *goroutine // whose frames these are
	function := ""    // of the frame whose second line is next
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\n")
		head := goroutineHead.FindStringSubmatch(line)
		switch at, inside := strings.CutPrefix(line, "\t"); {
		case head != nil:
			in, function = &goroutine{id: head[1], state: head[2]}, ""
			list = append(list, in)
		case in == nil:
		case inside:
			if at, _, _ = strings.Cut(at, " "); function != "" && !strings.HasPrefix(function, "runtime.") {
				in.frames = append(in.frames, function+" "+filepath.Base(at))
			}
		case line == "" || strings.HasPrefix(line, "created by "):
			in = nil
		default:
			function = line[strings.LastIndexByte(line, '/')+1:]
			if args := strings.LastIndexByte(function, '('); args > 0 {
				function = function[:args]
			}
		}
	}
	list = slices.DeleteFunc(list, func(g *goroutine) bool { return len(g.frames) == 0 })
	rank := func(g *goroutine) int {
		return slices.IndexFunc([]string{"running", "locked to thread", "runnable", ""}, func(s string) bool { return strings.Contains(g.state, s) })
	}
	slices.SortStableFunc(list, func(a, b *goroutine) int { return rank(a) - rank(b) })
	return list
}
