package all_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/torture/all"
)

// eachSubject runs the test for every subject of that status.
func eachSubject(t *testing.T, status impls.Status, test func(t *testing.T, s torture.Subject)) {
	for _, s := range all.Subjects() {
		if s.Status == status {
			t.Run(s.Family+"/"+s.Name, func(t *testing.T) {
				judge.Need(t, s.Check(), s.Family, s.Name)
				test(t, s)
			})
		}
	}
}

// If this fails, a sound variant breaks a promise under torture, or was not tried within a
// minute: nothing was executed, nothing was changed, or a flavour began no grace period.
func TestSoundHolds(t *testing.T) {
	eachSubject(t, impls.Sound, func(t *testing.T, s torture.Subject) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		began := time.Now()
		tried := func(r torture.Report) bool {
			return r.Executions > 0 && r.Transitions > 0 && (s.Family != "rcu" || r.GracePeriods > 0)
		}
		r, err := s.Torture(ctx, torture.Options{For: time.Minute, Seed: judge.Rand(t).Uint64(), Progress: func(r torture.Report) {
			if time.Since(began) > 300*time.Millisecond && tried(r) {
				cancel()
			}
		}})
		judge.Check(t, err)
		t.Logf("%+v", r)
		if r.Failure != "" {
			t.Error(r.Failure)
		} else if !tried(r) {
			t.Errorf("%+v in %v: not tried", r.Tally, r.After)
		}
	})
}

// death is how a subject ends that kills its process. A torn call may lead anywhere. Where
// there is no code, the runtime dies while it looks for the caller.
const death = `fatal error: |panic: |.*(SIGTRAP: trace trap|SIGILL: illegal instruction|SIGSEGV|SIGBUS|unexpected fault address|invalid memory address|unexpected return pc)`

// invariants has the letters of each family's invariants.
var invariants = map[string]string{
	"rcu": "G", "textpoke": "P", "dispatch": "DT", "tracepoint": "DT", "unregister": "M", "livepatch": "K", "uprobe": "B",
}

// mayBreak has what some busted variants may be the first to break: the invariants that their bug
// breaks. The others may break any of their family, or die.
var mayBreak = map[string]string{
	"dispatch/unchecked-iterator":   "D4: ",
	"tracepoint/direct-static-call": "T[123]: ",
	"tracepoint/no-sync-2-1":        "T[123]: ",
	"tracepoint/publish-first":      "T[13]: ",
	"tracepoint/compare-func":       "T3: ",
	"tracepoint/no-sync-1-0":        "T[123]: ",
	"tracepoint/no-state-n":         "T[123]: ",
	"tracepoint/wrong-flavour":      "T[123]: ",
	"tracepoint/keeps-oldest":       "T[123]: ",
	"unregister/fail":               `M1: |M3: f\d was called with f\d`, // freed data that was used again is another's
	"unregister/double-array":       "M[123]: ",
	"livepatch/rcu":                 "K[1234]: ",
	"uprobe/no-retry":               "B1: ",
}

// If this fails, the torture overlooks a busted variant, or it breaks an invariant that its bug
// does not break. Then that the sound ones hold shows nothing. Each runs in a process of its
// own, which it may end.
func TestBustedBreaks(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute for each, at most; and the race detector reports their races")
	}
	eachSubject(t, impls.Busted, func(t *testing.T, s torture.Subject) {
		name := s.Family + "/" + s.Name
		if runtime.NumCPU() == 1 && s.Name == "cross-line-store" {
			t.Skip("a store is torn between CPUs, and this process may use one")
		}
		may, ok := mayBreak[name]
		if !ok {
			may = "[" + invariants[s.Family] + `]\d: |` + death
		}
		out, err := child(t, "TestBustedChild", name, "GOTRACEBACK=none").CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !regexp.MustCompile(`(?m)^(`+may+`)`).Match(out) {
			t.Errorf("not caught, or not by %s: %v\n%s", may, err, out)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		t.Logf("%v: %s", err, first)
	})
}

// TestBustedChild tortures the subject that childEnv names, and prints its failure.
func TestBustedChild(t *testing.T) {
	name := os.Getenv(childEnv)
	for _, s := range all.Subjects() {
		if s.Family+"/"+s.Name == name {
			r, err := s.Torture(t.Context(), torture.Options{For: 30 * time.Second, Seed: judge.Rand(t).Uint64()})
			judge.Check(t, err)
			if r.Failure != "" {
				fmt.Println(r.Failure)
				t.Fail()
			}
			return
		}
	}
	t.Skip("the body of a process that another test starts")
}

// childEnv tells a test that it runs in a child process, and what to do there.
const childEnv = "TPBENCH_TORTURE_CHILD"

// child is the command that runs a test in a copy of this process, with env beside this one's.
// If it hangs, it is made to print its goroutines.
func child(t *testing.T, test, job string, env ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	judge.Check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, exe, "-test.run=^"+test+"$")
	cmd.Env = append(append(os.Environ(), childEnv+"="+job), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	return cmd
}

// If this fails, an attack whose threads cannot be pinned runs, or hides the error, or hangs;
// or a family starts threads without Launch; or it has fewer than three threads, or more than
// GOMAXPROCS allows for: a thread without a P does not run.
func TestCannotPin(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("threads are not pinned here")
	}
	families := map[string]bool{}
	for _, s := range all.Subjects() {
		if families[s.Family] || s.Check() != nil {
			continue
		}
		families[s.Family] = true
		t.Run(s.Family, func(t *testing.T) {
			noCPUs := slices.Repeat([]int{1 << 20}, 16) // more than a CPUSet has
			r, err := s.Torture(t.Context(), torture.Options{For: time.Hour, Beside: noCPUs})
			if n := strings.Count(fmt.Sprint(err), "pinning to CPU 1048576: "); n < 3 {
				t.Errorf("error %v, want one about CPU 1048576 from each of 3 threads or more", err)
			}
			if r.Executions > 0 || r.Transitions > 0 || r.Failure != "" {
				t.Errorf("%+v, want nothing", r)
			}
		})
	}
	if len(families) == 0 {
		t.Skip("nothing can be tortured here")
	}
}
