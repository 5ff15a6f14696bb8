package all_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/torture/all"
)

// childEnv makes a copy of this test binary do one job and exit: with 0, or with 1 and what
// went wrong on its standard output, or by a signal.
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

// longest is how long a busted subject is tortured.
const longest = 30 * time.Second

// child does the job and returns what went wrong. Jobs are
//
//	runtime [DIR]        all that Go code may do in probes (runtime_test.go), with a
//	                     profile and a trace in DIR
//	FAMILY/NAME SEED     that subject, until it fails or longest has passed
func child(job string) string {
	what, argument, _ := strings.Cut(job, " ")
	if what == "runtime" {
		if err := runSetups(argument); err != nil {
			return err.Error()
		}
		return ""
	}
	seed, err := strconv.ParseUint(argument, 10, 64)
	if err != nil {
		return err.Error()
	}
	for _, s := range all.Subjects() {
		if s.Family+"/"+s.Name == what {
			r, err := s.Torture(context.Background(), torture.Options{For: longest, Seed: seed})
			if err != nil {
				return err.Error()
			}
			return r.Failure
		}
	}
	return "no job is called " + job
}

// runChild runs the job in a copy of this process, with env beside this one's, and returns
// what it printed and how it ended. A child that hangs prints its goroutines.
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
