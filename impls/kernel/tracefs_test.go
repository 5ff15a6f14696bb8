package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// requireKernel skips where the kernel's events cannot be switched, or fails where
// TPBENCH_REQUIRE says that they can.
func requireKernel(t *testing.T) {
	t.Helper()
	if err := Check(); err != nil {
		if !errors.Is(err, impls.ErrUnsupported) {
			t.Fatalf("Check: %v, expected impls.ErrUnsupported", err)
		}
		if strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "kernel") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// If this fails, an instance of the real kernel does not switch its events, or switches others,
// or stays after Close.
func TestInstance(t *testing.T) {
	requireKernel(t)
	before := read(t, running().tracefs)
	i, err := Open()
	must(t, err)
	for _, tc := range []struct {
		on   bool
		want string
	}{{true, "1"}, {false, "0"}} {
		must(t, i.Enable("", tc.on))
		if got := read(t, i.dir); got != tc.want {
			t.Errorf("Enable(%v): events/enable reads %q, expected %q", tc.on, got, tc.want)
		}
		if got := read(t, running().tracefs); got != before {
			t.Errorf("Enable(%v) changed the events of others from %q to %q", tc.on, before, got)
		}
	}
	must(t, i.Close())
	gone(t, i.dir)
	if err := i.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if n, err := Events(""); n == 0 || err != nil {
		t.Errorf("the kernel has %d events, %v", n, err)
	}
}

// must ends the test if a step of it failed that is not what it tests.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// gone checks that the directory of an instance does not exist.
func gone(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the instance is still there: %v", err)
	}
}

// read returns the state of all events in a directory: "0", "1", or "X" if they differ.
func read(t *testing.T, dir string) string {
	t.Helper()
	state, err := os.ReadFile(filepath.Join(dir, "events", "enable"))
	must(t, err)
	return strings.TrimSpace(string(state))
}

// write writes a file and makes its directory.
func write(t *testing.T, text string, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	must(t, os.MkdirAll(filepath.Dir(path), 0o777))
	must(t, os.WriteFile(path, []byte(text), 0o666))
}

// fake returns a system of ordinary directories. In its proc, this process is 100 and
// started at 5000.
func fake(t *testing.T) system {
	t.Helper()
	s := system{tracefs: t.TempDir(), proc: t.TempDir(), sys: t.TempDir(), journals: t.TempDir(), prefix: "tpbench-"}
	s.mkdir = func(dir string) error {
		if err := os.Mkdir(dir, 0o777); err != nil {
			return err
		}
		write(t, "1", dir, "tracing_on")
		write(t, "record-cmd", dir, "trace_options")
		write(t, "0", dir, "events", "enable")
		return nil
	}
	s.rmdir, s.pause = os.RemoveAll, func() {}
	write(t, "a:b\n", s.tracefs, "available_events")
	write(t, "0", s.tracefs, "events", "enable")
	must(t, os.Mkdir(filepath.Join(s.tracefs, "instances"), 0o777))
	s.lives(t, "self", "100", "S", "5000")
	s.lives(t, "100", "100", "S", "5000")
	return s
}

// lives adds a process to the proc of a fake.
func (s system) lives(t *testing.T, at, pid, state, start string) {
	t.Helper()
	write(t, pid+" (x) S 1) "+state+" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "+start+" 20 21\n", s.proc, at, "stat")
}

// makes adds an instance with its events on to a fake.
func (s system) makes(t *testing.T, name string) {
	t.Helper()
	dir := filepath.Join(s.tracefs, "instances", name)
	must(t, s.mkdir(dir))
	write(t, "1", dir, "events", "enable")
}

// opened returns an instance of the system.
func opened(t *testing.T, s system) *Instance {
	t.Helper()
	i, err := s.open("")
	must(t, err)
	return i
}

// If this fails, an instance has not the name by which Sweep finds it, or records, or stays
// after Close.
func TestOpen(t *testing.T) {
	s := fake(t)
	i := opened(t, s)
	if name := filepath.Base(i.dir); name != "tpbench-100-5000" {
		t.Errorf("the instance is called %s", name)
	}
	if on, err := os.ReadFile(filepath.Join(i.dir, "tracing_on")); err != nil || !strings.HasPrefix(string(on), "0") {
		t.Errorf("tracing_on is %q, %v", on, err)
	}
	if options, err := os.ReadFile(filepath.Join(i.dir, "trace_options")); err != nil || string(options) != "norecord-cmd" {
		t.Errorf("trace_options is %q, %v: a first event switches three others, too", options, err)
	}
	must(t, i.Close())
	gone(t, i.dir)
}

// If this fails, an Open that fails leaves its instance, or does not report that it is left.
func TestOpenFailsHalfWay(t *testing.T) {
	mkdir := func(dir string) error { return os.Mkdir(dir, 0o777) }
	full := func(dir string) error {
		return errors.Join(mkdir(dir), os.Symlink("/dev/full", filepath.Join(dir, "tracing_on")))
	}
	for _, tc := range []struct {
		why   string
		mkdir func(dir string) error
		want  error
		stays string // why the instance cannot be removed
	}{
		{"there is no tracing_on", mkdir, os.ErrNotExist, ""},
		{"tracing_on cannot be written", full, syscall.ENOSPC, ""},
		{"and the instance cannot be removed", full, syscall.ENOSPC, "cannot remove"},
	} {
		s := fake(t)
		s.mkdir = tc.mkdir
		if tc.stays != "" {
			s.rmdir = func(string) error { return errors.New(tc.stays) }
		}
		i, err := s.open("")
		_, stays, _ := strings.Cut(fmt.Sprint(err), "the instance is still there: ")
		if i != nil || !errors.Is(err, tc.want) || stays != tc.stays {
			t.Errorf("%s: Open: %v, %v", tc.why, i, err)
		}
		if left := s.instances(t); len(left) > 0 != (tc.stays != "") {
			t.Errorf("%s: left %v", tc.why, left)
		}
	}
}

// If this fails, a switch that did not happen is timed.
func TestSwitchFails(t *testing.T) {
	i := opened(t, fake(t))
	enable := filepath.Join(i.dir, "events", "enable")
	for _, on := range []bool{true, false} {
		must(t, os.RemoveAll(enable))
		if err := i.Enable("", on); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Enable(%v) without the file: %v", on, err)
		}
		must(t, os.Symlink("/dev/full", enable))
		if err := i.Enable("", on); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Enable(%v) that cannot write: %v", on, err)
		}
	}
	// Close cannot write either, but removes the instance, which ends its events.
	if err := i.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// If this fails, Close removes an instance whose events are on, or does not try again after an
// error, or a Switch after it turns events on.
func TestClose(t *testing.T) {
	s := fake(t)
	attempts := 0
	s.rmdir = func(dir string) error {
		if attempts++; attempts == 1 {
			return errors.New("busy")
		}
		if events := read(t, dir); events != "0" {
			t.Errorf("removed with events %s", events)
		}
		return os.RemoveAll(dir)
	}
	i := opened(t, s)
	must(t, i.Enable("", true))
	if err := i.Close(); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("the first Close: %v", err)
	}
	if err := i.Enable("", true); !errors.Is(err, os.ErrClosed) || read(t, i.dir) != "0" {
		t.Errorf("Switch after Close: %v", err)
	}
	for range 2 {
		if err := i.Close(); err != nil || attempts != 2 {
			t.Errorf("Close: %v after %d attempts", err, attempts)
		}
	}
}

// If this fails, a Close during another goroutine's Switch leaves the instance, or a Switch after
// it does something.
func TestCloseBesideSwitch(t *testing.T) {
	s := fake(t)
	i := opened(t, s)
	switched, ended := make(chan bool), make(chan error)
	go func() {
		for n := 0; ; n++ {
			if err := i.Enable("", n%2 == 0); err != nil {
				ended <- err
				return
			}
			if n == 0 {
				close(switched)
			}
		}
	}()
	<-switched
	for range 2 {
		go func() { ended <- i.Close() }()
	}
	for range 3 {
		if err := <-ended; err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
	if left := s.instances(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// If this fails, Check reports the wrong thing as missing, or Open does not fail.
func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		why   string
		spoil func(s *system) error
		want  string // part of
	}{
		{"nothing is missing", func(s *system) error { return nil }, ""},
		{"no such directory", func(s *system) error { return os.RemoveAll(s.tracefs) }, "there is no "},
		{"not mounted", func(s *system) error { return os.Remove(filepath.Join(s.tracefs, "available_events")) }, "tracefs is not mounted at "},
		{"not mounted, and not root", func(s *system) error {
			s.mount = fmt.Errorf("fsopen: %w", syscall.EPERM)
			return os.Remove(filepath.Join(s.tracefs, "available_events"))
		}, "may not mount it (fsopen: operation not permitted); run as root"},
		{"a kernel without tracefs", func(s *system) error {
			s.mount = fmt.Errorf("fsopen: %w", syscall.ENODEV)
			return os.Remove(filepath.Join(s.tracefs, "available_events"))
		}, "the kernel has no tracefs (fsopen: no such device)"},
		{"mounted elsewhere", func(s *system) error { s.mount = syscall.EPERM; return nil }, ""},
		{"no events", func(s *system) error { return os.RemoveAll(filepath.Join(s.tracefs, "events")) }, "CONFIG_EVENT_TRACING"},
		{"no file", func(s *system) error {
			enable := filepath.Join(s.tracefs, "events", "enable")
			return errors.Join(os.Remove(enable), os.Mkdir(enable, 0o777))
		}, "is a directory"},
		{"no directory", func(s *system) error { s.tracefs = filepath.Join(s.tracefs, "available_events"); return nil }, "not a directory"},
	} {
		s := fake(t)
		must(t, tc.spoil(&s))
		err := s.check()
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tc.why, err)
			}
			continue
		}
		if !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, expected ...%s...", tc.why, err, tc.want)
		}
		if _, err := s.open(""); !errors.Is(err, impls.ErrUnsupported) {
			t.Errorf("%s: Open: %v", tc.why, err)
		}
	}
	s := fake(t)
	must(t, os.RemoveAll(s.proc))
	if _, err := s.open(""); !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), "mount -t proc") {
		t.Errorf("without proc: Open: %v", err)
	}
}

func (s system) instances(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.tracefs, "instances"))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
