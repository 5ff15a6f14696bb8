package torture

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// childEnv makes a copy of this test binary do one job and exit: 0, or 1 with a report
// on its standard output, or whatever the job dies of.
const childEnv = "TPBENCH_TORTURE_CHILD"

func TestMain(m *testing.M) {
	job := os.Getenv(childEnv)
	if job == "" {
		os.Exit(m.Run())
	}
	if failure := child(job); failure != "" {
		fmt.Println(failure)
		os.Exit(1)
	}
}

// child does the job and returns what went wrong. Jobs are
//
//	runtime [DIR]   all that Go code may do in probes (runtime_test.go), with a
//	                profile and a trace in DIR
//	FAMILY/NAME     that Subject, for ten seconds
func child(job string) string {
	if what, dir, _ := strings.Cut(job, " "); what == "runtime" {
		if err := showAll(dir); err != nil {
			return err.Error()
		}
		return ""
	}
	for _, s := range Subjects() {
		if s.Family+"/"+s.Name == job {
			r, err := s.Torture(context.Background(), Options{For: 10 * time.Second, Seed: uint64(time.Now().UnixNano())})
			if err != nil {
				return err.Error()
			}
			return r.Failure
		}
	}
	return "no job is called " + job
}

// runChild runs the job in a copy of this process, with env beside this one's, and returns
// what it said and how it ended. One that hangs is made to print its goroutines.
func runChild(t *testing.T, job string, env ...string) (string, error) {
	t.Helper()
	exe, err := os.Executable()
	judge.Check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(append(os.Environ(), childEnv+"="+job), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	out, err := cmd.CombinedOutput()
	return string(out), err
}
