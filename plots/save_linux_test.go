package plots

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// If this fails, a chart that may not be written is found only after everything was measured,
// or with another error than the system's.
func TestSaveForbidden(t *testing.T) {
	dir := t.TempDir()
	for up := dir; up != filepath.Dir(os.TempDir()) && up != "/"; up = filepath.Dir(up) {
		if info, err := os.Stat(up); err == nil && info.Mode().Perm()&0o005 == 0 {
			if err := os.Chmod(up, 0o755); err != nil { // of the testing package, for root only
				t.Fatal(err)
			}
		}
	}
	if err := Save(drawnChart(t), dir, "x"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		why       string
		dir, file os.FileMode
		want      error
	}{
		{"nothing is forbidden", 0o777, 0o666, nil},
		{"a directory that is not to be written", 0o555, 0o666, fs.ErrPermission},
		{"a chart that is not to be written", 0o777, 0o444, fs.ErrPermission},
	} {
		for _, chmod := range []error{os.Chmod(dir, tc.dir), os.Chmod(filepath.Join(dir, "x.png"), tc.file), os.Chmod(filepath.Join(dir, "x.svg"), 0o666)} {
			if chmod != nil {
				t.Fatal(chmod)
			}
		}
		var checked error
		asNobody(t, func() { checked = Check(dir, "x") })
		var path *fs.PathError
		if !errors.Is(checked, tc.want) || tc.want != nil && !errors.As(checked, &path) {
			t.Errorf("%s: %v, expected %v", tc.why, checked, tc.want)
		}
		if files := list(t, dir); len(files) != 2 {
			t.Errorf("%s: files %v", tc.why, files)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
}

// asNobody runs f on a thread whose accesses to files are nobody's, if it is root's now.
// The thread ends with it.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		var err error
		if os.Geteuid() == 0 {
			err = syscall.Setfsuid(65534) // takes the capabilities about files along
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
