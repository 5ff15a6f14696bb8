package harness

import (
	"strings"
	"unicode"
)

// firstLine returns the first line that a dying worker printed, for a comment line.
func firstLine(stderr string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	if line == "" {
		return ""
	}
	return ": " + oneLine(line)
}

// stacks returns the first lines that Go's runtime prints about goroutines when a worker gets
// SIGQUIT.
func stacks(stderr string) string {
	const enough = 12 // lines
	_, text, found := strings.Cut(stderr, "\ngoroutine ")
	if !found {
		return "unknown"
	}
	lines := strings.SplitN("goroutine "+text, "\n", enough+1)
	return strings.Join(lines[:min(enough, len(lines))], "\n")
}

// oneLine replaces what a comment line cannot hold.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "))
}
