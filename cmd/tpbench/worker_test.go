package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
)

// If this fails, a worker is another binary than its coordinator, or gets another task or
// another calibration.
func TestWorkers(t *testing.T) {
	var ticks clock.Clock
	const calibration = "tsc/1 hz=1e+09 hz-err=0 step-ns=10 pair-ns=20 pair-p10=10 pair-p90=30"
	must(t, ticks.UnmarshalText([]byte(calibration)))
	start, err := workers(&ticks)
	must(t, err)
	cmd := start(t.Context(), harness.Task{Names: []string{"A/x=1", "B/x=1"}, Round: 5, Layout: 3, Patience: time.Second})
	if got := strings.Join(cmd.Args[1:], " "); got != "worker --round 5 --layout 3 --patience 1s A/x=1 B/x=1" {
		t.Errorf("arguments %q", got)
	}
	if cmd.Path != "/proc/self/exe" {
		t.Errorf("the worker is %s, which may have been replaced", cmd.Path)
	}
	if env := cmd.Env[len(cmd.Env)-1]; env != clockEnv+"="+calibration {
		t.Errorf("environment %q", env)
	}
}
