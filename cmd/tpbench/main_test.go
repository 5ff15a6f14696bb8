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

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
)

// If this fails, an exit code sends the user to the wrong place: 1 is to the output, 2 to the
// command line, 3 to the machine, and 130 is an interruption.
func TestExitCode(t *testing.T) {
	path := func(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything"), 1},
		{context.Canceled, 130},
		{interruptedError("half"), 130},
		{usagef("no"), 2},
		{&impls.UnknownError{}, 2},
		{&results.FormatError{}, 2},
		{&results.MissingError{}, 2},
		{&harness.FileError{}, 2},
		{&plots.FileError{}, 2},
		{impls.ErrUnsupported, 3},
		{clock.ErrUnavailable, 3},
		{&host.UnavailableError{}, 3},

		// A name that the user gave, and a file that the machine lacks.
		{path("open", "results.txt", syscall.ENOENT), 2},
		{path("mkdir", "/root/results", syscall.EACCES), 2},
		{path("open", "proc/x", syscall.ENOENT), 2},
		{path("open", "/process/x", syscall.ENOENT), 2},
		{path("open", "/proc", syscall.EACCES), 2},
		{path("readlink", "/proc/self/exe", syscall.ENOENT), 3},
		{path("open", "/proc/self/maps", syscall.EACCES), 3},
		{path("open", "/sys/devices/system/cpu/online", syscall.ENOENT), 3},
		{usageError{path("open", "/proc/x", syscall.ENOENT)}, 2},

		// A full disk, in any operation.
		{path("write", "results.txt", syscall.ENOSPC), 1},
		{path("write", "results.txt", syscall.EFBIG), 1},
		{path("sync", "chart.svg", syscall.EIO), 1},
		{path("close", "chart.svg", syscall.EIO), 1},
		{path("open", ".chart.svg.tmp", syscall.ENOSPC), 1},
		{path("open", ".chart.svg.tmp", syscall.EDQUOT), 1},
		{path("write", "/sys/kernel/tracing/instances/x/events/enable", syscall.EINVAL), 1},
	} {
		errs := []error{tc.err}
		if tc.err != nil {
			errs = append(errs, fmt.Errorf("context: %w", tc.err))
		}
		for _, err := range errs {
			if got := exitCode(err); got != tc.want {
				t.Errorf("exit code %d of %v, expected %d", got, err, tc.want)
			}
		}
	}
}

// If this fails, an error sends control characters to a terminal, or does not say what to mount.
func TestSentence(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{errors.Join(errors.New("one\x1b[2J"), errors.New("two\u202e")), `one\x1b[2J` + "\n" + `two\u202e`},
		{&fs.PathError{Op: "readlink", Path: "/proc/self/exe", Err: syscall.ENOENT},
			"readlink /proc/self/exe: " + syscall.ENOENT.Error() + "; this needs /proc, as root: mount -t proc proc /proc"},
		{&fs.PathError{Op: "open", Path: "/sys/x/y", Err: syscall.ENOENT},
			"open /sys/x/y: " + syscall.ENOENT.Error() + "; this needs /sys, as root: mount -t sysfs sysfs /sys"},
		{&fs.PathError{Op: "open", Path: "/proc/self/maps", Err: syscall.EACCES}, "open /proc/self/maps: " + syscall.EACCES.Error()},
		{usageError{&fs.PathError{Op: "open", Path: "/proc/x", Err: syscall.ENOENT}}, "open /proc/x: " + syscall.ENOENT.Error()},
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
			return []string{"tpbench-7-1", "tpbench-8-1"}, errors.New("tpbench-9-1 stays")
		})
		worker := strings.HasSuffix(cmd.Name(), "worker")
		want := `removed the tracing instance tpbench-7-1 and its events, left by a run that was killed
removed the tracing instance tpbench-8-1 and its events, left by a run that was killed
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
