package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/builds"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
)

func pathError(op, path string, err error) error {
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// If this fails, an exit code sends the user to the wrong place: 1 is to the output, 2 to the
// command line, 3 to the machine, and 130 is an interruption.
func TestExitCode(t *testing.T) {
	check := func(want int, errs ...error) {
		t.Helper()
		for _, err := range errs {
			for _, err := range []error{err, fmt.Errorf("context: %w", err)} {
				if got := exitCode(err); got != want {
					t.Errorf("exit code %d of %v, expected %d", got, err, want)
				}
			}
		}
	}
	if got := exitCode(nil); got != 0 {
		t.Errorf("exit code %d without an error", got)
	}
	check(1, errors.New("anything"), pathError("write", "/sys/kernel/tracing/instances/x/events/enable", syscall.EINVAL))
	check(2, usagef("no"), &impls.UnknownError{}, &results.FormatError{}, &results.MissingError{}, &harness.FileError{}, &plots.FileError{})
	check(1, &builds.BuildError{Output: "link: write a.out: " + syscall.ENOSPC.Error()}, lostError("5"), regressedError("worse"), errors.Join(regressedError("worse"), lostError("5")))
	check(2, &builds.BuildError{Output: "undefined: x"}, &builds.InputError{})
	check(3, &builds.MissingError{Tool: "git"})
	check(3, impls.ErrUnsupported, clock.ErrUnavailable, &host.UnavailableError{})
	check(130, context.Canceled, interruptedError("half"))
	// Names that the user gave, files that the machine lacks, and a full disk.
	for _, name := range []string{"results.txt", "proc/x", "/process/x", "/proc", "/root/results"} {
		check(2, pathError("open", name, syscall.ENOENT), pathError("mkdir", name, syscall.EACCES))
	}
	check(2, usageError{pathError("open", "/proc/x", syscall.ENOENT)})
	for _, name := range []string{"/proc/self/exe", "/proc/self/maps", "/sys/devices/system/cpu/online"} {
		check(3, pathError("readlink", name, syscall.ENOENT), pathError("open", name, syscall.EACCES))
	}
	for _, op := range []string{"write", "sync", "close"} {
		check(1, pathError(op, "chart.svg", syscall.EIO), pathError(op, "results.txt", syscall.EFBIG), pathError(op, "results.txt", syscall.ENOSPC))
	}
	check(1, pathError("open", ".chart.svg.tmp", syscall.ENOSPC), pathError("open", ".chart.svg.tmp", syscall.EDQUOT))
}

// If this fails, an error sends control characters to a terminal, or does not say what to mount.
func TestSentence(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{errors.Join(errors.New("one\x1b[2J"), errors.New("two\u202e")), `one\x1b[2J` + "\n" + `two\u202e`},
		{pathError("readlink", "/proc/self/exe", syscall.ENOENT),
			"readlink /proc/self/exe: " + syscall.ENOENT.Error() + "; this needs /proc, as root: mount -t proc proc /proc"},
		{pathError("open", "/sys/x/y", syscall.ENOENT),
			"open /sys/x/y: " + syscall.ENOENT.Error() + "; this needs /sys, as root: mount -t sysfs sysfs /sys"},
		{pathError("open", "/proc/self/maps", syscall.EACCES), "open /proc/self/maps: " + syscall.EACCES.Error()},
		{usageError{pathError("open", "/proc/x", syscall.ENOENT)}, "open /proc/x: " + syscall.ENOENT.Error()},
	} {
		if got := sentence(tc.err); got != tc.want {
			t.Errorf("%q, expected %q", got, tc.want)
		}
	}
}

// If this fails, a command does not report what it removed from the kernel, or a worker sweeps.
func TestSweep(t *testing.T) {
	for _, cmd := range append(newRoot().Commands(), newRoot()) {
		var said strings.Builder
		cmd.SetErr(&said)
		calls := 0
		sweep(cmd, func() ([]string, error) {
			calls++
			return []string{"the tracing instance tpbench-7-1 and its events", "the uprobes tpbench_8_1"}, errors.New("tpbench-9-1 stays")
		})
		worker := strings.HasSuffix(cmd.Name(), "worker") || cmd.Name() == "guest-init" // a guest is new
		want := `removed the tracing instance tpbench-7-1 and its events, left by a run that was killed
removed the uprobes tpbench_8_1, left by a run that was killed
tpbench: tpbench-9-1 stays
`
		if worker {
			want = ""
		}
		if said.String() != want || (calls == 0) != worker {
			t.Errorf("%s: swept %d times and wrote %q", cmd.Name(), calls, said.String())
		}
	}
	root := newRoot()
	if root.PersistentPreRun == nil {
		t.Error("no command sweeps")
	}
	if shadowed := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.PersistentPreRun != nil || c.PersistentPreRunE != nil }); shadowed >= 0 {
		t.Errorf("%s does not sweep, because it has its own PersistentPreRun", root.Commands()[shadowed].Name())
	}
}

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
	if got := strings.Join(workerArgs(harness.Task{Names: []string{"A"}, Arm: "A2", Build: 3, Slower: 0.0025}), " "); got != "worker --round 0 --layout 0 --patience 0s --slower 0.0025 A" {
		t.Errorf("arguments %q of a slower arm", got)
	}
	if cmd.Path != "/proc/self/exe" {
		t.Errorf("the worker is %s, which may have been replaced", cmd.Path)
	}
	if env := cmd.Env[len(cmd.Env)-1]; env != clockEnv+"="+calibration {
		t.Errorf("environment %q", env)
	}
}
