package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// If this fails, a process without permission is told that tracefs is not mounted, or Sweep
// reports instances that the process may not change.
func TestNoPermission(t *testing.T) {
	s := fake(t)
	s.makes(t, "tpbench-10-70")
	mode := func(m os.FileMode, path string) {
		must(t, os.Chmod(path, m))
	}
	mode(0o755, filepath.Dir(s.tracefs)) // package testing makes it for root only
	mode(0o666, filepath.Join(s.tracefs, "events", "enable"))
	mode(0o555, filepath.Join(s.tracefs, "instances"))
	t.Cleanup(func() { mode(0o755, filepath.Join(s.tracefs, "instances")) })
	for _, tc := range []struct {
		path string
		mode os.FileMode
		want string
	}{
		{"events/enable", 0o444, "may not write "},
		{"instances", 0o555, "making an instance: "},
		{"instances", 0o000, "making an instance: "},
		{".", 0o000, "may not read "},
	} {
		path := filepath.Join(s.tracefs, tc.path)
		info, err := os.Stat(path)
		must(t, err)
		mode(tc.mode, path)
		var opened, swept error
		var removed []string
		asNobody(t, func() {
			_, opened = s.open("")
			removed, swept = s.sweep()
		})
		if !errors.Is(opened, impls.ErrUnsupported) || !strings.Contains(opened.Error(), tc.want) || !strings.Contains(opened.Error(), "run as root") {
			t.Errorf("%s with mode %v: %v", tc.path, tc.mode, opened)
		}
		if removed != nil || swept != nil {
			t.Errorf("%s with mode %v: sweep: %v, %v", tc.path, tc.mode, removed, swept)
		}
		mode(info.Mode(), path)
	}
}

// asNobody runs f on a thread that accesses files as the user nobody, if this process is root's.
// The thread ends with f. Package plots has a copy: its island and this one share no package.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		var err error
		if os.Geteuid() == 0 {
			err = syscall.Setfsuid(65534) // also drops the thread's capabilities for files
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	must(t, <-done)
}
