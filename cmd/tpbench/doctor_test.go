package main

import (
	"strings"
	"testing"

	"github.com/tpbench/tpbench/harness/host"
)

// If this fails, doctor has another exit code than its help says, or its sentence counts other
// checks than were bad.
func TestJudgeChecks(t *testing.T) {
	for _, tt := range []struct {
		statuses string // of the checks: o, w and f
		strict   bool
		code     int
		want     string // part of the sentence
	}{
		{"oo", false, 0, ""},
		{"oo", true, 0, ""},
		{"", true, 0, ""},
		{"owow", false, 0, ""},
		{"owow", true, 3, "host: 0 checks failed and 2 checks warned of 4, and --strict counts a warning as a failure: see above what to do"},
		{"fow", true, 3, "host: 1 check failed and 1 check warned of 3, "},
		{"fow", false, 3, "host: 1 check failed: see above what to do"},
		{"ff", true, 3, "host: 2 checks failed: see above what to do"},
		{"off", false, 3, "host: 2 checks failed: see above what to do"},
	} {
		var checks []host.Check
		for _, c := range tt.statuses {
			checks = append(checks, host.Check{Status: map[rune]host.Status{'o': host.OK, 'w': host.Warn, 'f': host.Fail}[c]})
		}
		err := judgeChecks(checks, tt.strict)
		if code := exitCode(err); code != tt.code || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q, strict %v: exit code %d, %v; want %d, %s", tt.statuses, tt.strict, code, err, tt.code, tt.want)
		}
	}
}

// If this fails, doctor hides a check, or what to do about a bad one.
func TestPrintChecks(t *testing.T) {
	var b strings.Builder
	must(t, printChecks(&b, []host.Check{
		{Name: "cpus", Status: host.OK, Found: "2 allowed: 0-1", Why: "no", Do: "no"},
		{Name: "interrupts", Status: host.Warn, Found: "eth0", Why: "it hits", Do: "move it"},
	}))
	const want = `ok    cpus        2 allowed: 0-1
warn  interrupts  eth0
                    why: it hits
                    do:  move it
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
