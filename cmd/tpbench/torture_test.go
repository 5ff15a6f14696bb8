package main

import (
	"context"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/torture"
)

// If this fails, the death of a torture-worker is not reported for what it is: a busted
// variant that crashes counts as not caught, or one that somebody else killed, or that
// could not be tortured at all, as caught. The workers here are scripts that end as real
// ones do.
func TestWatch(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the workers are shell scripts, and their signals Linux's")
	}
	const tally = `echo '{"Executions":7}'; `
	for _, tc := range []struct {
		why, worker, failure, err string
	}{
		{"held", tally + `echo '{"Executions":7,"End":true}'`, "", ""},
		{"broke", tally + `echo '{"Executions":7,"Failure":"T1: x","End":true}'; exit 1`, "T1: x", ""},
		{"could not be tortured", tally + `echo '{"Executions":7,"End":true,"Error":"no room"}'; exit 2`, "", "no room"},
		{"raised a signal", tally + `kill -TRAP $$`, "died: trace/breakpoint trap", ""},
		{"died in the middle of a line", tally + `printf '{"Executions":'; kill -SEGV $$`, "died: segmentation fault", ""},
		{"said why it died", tally + `echo 'SIGTRAP: trace trap
PC=0x1' >&2; exit 2`, "died: SIGTRAP: trace trap", ""},
		{"said so with a prefix", tally + `echo '
[signal SIGSEGV: segmentation violation code=0x80]
goroutine 1' >&2; exit 2`, "died: signal SIGSEGV: segmentation violation code=0x80", ""},
		{"was killed", tally + `kill -KILL $$`, "", "without a report, signal: killed"},
		{"left", tally + `echo 'tpbench: unknown flag' >&2; exit 2`, "", "exit status 2 tpbench: unknown flag"},
		{"left without a word", tally + `exit 0`, "", "without a report, exit status 0"},
		{"does not end", `trap '' INT; ` + tally + `exec sleep 60`, "did not end: killed after ", ""},
		{"says late how far it came", `trap 'echo "{\"Executions\":7,\"End\":true}"; exit' INT; ` + tally + `while :; do sleep 0.01; done`, "", ""},
	} {
		t.Run(tc.why, func(t *testing.T) {
			t.Parallel()
			limit := time.Minute
			if strings.HasPrefix(tc.worker, "trap ") {
				limit = 2 * time.Second // it does not end by itself
			}
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			told := uint64(0)
			r, err := watch(ctx, exec.CommandContext(ctx, "sh", "-c", tc.worker), func(t torture.Report) { told = t.Executions })
			if r.Executions != 7 || told != 7 {
				t.Errorf("%d executions, %d told while it went on, want 7", r.Executions, told)
			}
			if !strings.HasPrefix(r.Failure, tc.failure) || (tc.failure == "") != (r.Failure == "") {
				t.Errorf("failure %q, want %q", r.Failure, tc.failure)
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}

// If this fails, a machine on which nothing can be tortured passes. There is none among
// those that scripts can make: qsbr runs on any amd64.
func TestNothingCanBeTortured(t *testing.T) {
	cannot := &impls.UnsupportedError{What: "it", Why: "reasons", Do: "do"}
	cmd := newTorture()
	cmd.SetOut(io.Discard)
	cmd.SetContext(context.Background())
	s := torture.Subject{Family: "rcu", Name: "it", Check: func() error { return cannot }}
	if err := tortureAll(cmd, []torture.Subject{s}, time.Second, 1, false); exitCode(err) != 3 {
		t.Errorf("%v, exit code %d, want 3", err, exitCode(err))
	}
}

// If this fails, `tpbench torture` says that all is well when it is not, or calls a
// variant what it is not.
func TestVerdicts(t *testing.T) {
	var s summary
	for _, tc := range []struct {
		status  impls.Status
		failure string
		changes uint64
		want    string
	}{
		{impls.Sound, "", 10, held},
		{impls.Sound, "", 1, held},
		{impls.Busted, "T1", 0, caught},
		{impls.Sound, "T1", 0, broke},
		{impls.Busted, "", 10, missed},
		{impls.Sound, "", 0, untried},
	} {
		of := torture.Subject{Family: "rcu", Name: tc.want, Status: tc.status}
		if got := s.add(of, torture.Report{Tally: torture.Tally{Executions: 1000, Transitions: tc.changes}, Failure: tc.failure}); got != tc.want {
			t.Errorf("%v, failure %q: %s, want %s", tc.status, tc.failure, got, tc.want)
		}
	}
	var text strings.Builder
	s.print(&text)
	const want = "2 sound implementations held over 2,000 executions; 1 busted one was caught; rcu/BROKE: BROKE; rcu/NOT CAUGHT: NOT CAUGHT; rcu/NOT TRIED: NOT TRIED."
	if got := strings.TrimSpace(text.String()); got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}
