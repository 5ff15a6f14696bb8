package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tpbench/tpbench/impls"
)

// A system says where the kernel's files are, and how to make and remove an instance. Tests use
// ordinary directories in place of all.
type system struct {
	tracefs, proc, sys string
	journals           string // the directory of the journals
	mount              error  // why tracefs is not mounted, and could not be
	prefix             string // of the names of instances, groups and journals
	mkdir, rmdir       func(dir string) error
	appendTo           func(path, lines string) error
	pause              func() // between two tries to remove what is busy, or two readings
	openProbe          func(pmu uint32, name string, offset uint64, task, cpu int) (perfEvent, error)
	openTracepoint     func(id uint64) (perfEvent, error)
}

func running() system {
	tracefs, err := mounted()
	return system{
		tracefs:        tracefs,
		mount:          err,
		proc:           "/proc",
		sys:            "/sys",
		journals:       "/run",
		prefix:         "tpbench-",
		mkdir:          func(dir string) error { return os.Mkdir(dir, 0o700) },
		rmdir:          os.Remove,
		appendTo:       appendTo,
		pause:          func() { time.Sleep(10 * time.Millisecond) },
		openProbe:      openProbe,
		openTracepoint: openTracepoint,
	}
}

// Check reports why the running kernel's events cannot be switched, or nil: an
// [impls.UnsupportedError] that says what is missing.
func Check() error { return running().check() }

func (s system) check() error {
	mount := "as root: mount -t tracefs nodev " + s.tracefs
	_, err := os.Stat(filepath.Join(s.tracefs, "available_events"))
	switch {
	case errors.Is(err, fs.ErrNotExist) && errors.Is(s.mount, fs.ErrPermission):
		return unsupported("tracefs is not mounted at "+s.tracefs+", and this process may not mount it ("+s.mount.Error()+")", "run as root")
	case errors.Is(err, fs.ErrNotExist) && errors.Is(s.mount, syscall.ENODEV):
		return unsupported("the kernel has no tracefs ("+s.mount.Error()+")", "boot a kernel with CONFIG_TRACING")
	}
	if errors.Is(err, fs.ErrNotExist) {
		// Is tracefs missing, or the directory too?
		if _, err = os.Stat(s.tracefs); err == nil {
			return unsupported("tracefs is not mounted at "+s.tracefs, mount)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unsupported("there is no "+s.tracefs, "mount sysfs at /sys, or boot a kernel with CONFIG_TRACING")
	case errors.Is(err, fs.ErrPermission):
		return unsupported("this process may not read "+s.tracefs+" ("+cause(err)+")", "run as root")
	case err != nil:
		return unsupported(err.Error(), mount)
	}
	enable := filepath.Join(s.tracefs, "events", "enable")
	f, err := os.OpenFile(enable, os.O_WRONLY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unsupported("there is no "+enable, "boot a kernel with CONFIG_EVENT_TRACING")
	case errors.Is(err, fs.ErrPermission):
		return unsupported("this process may not write "+enable+" ("+cause(err)+")", "run as root, on a kernel that is not locked down")
	case errors.Is(err, syscall.EROFS):
		return unsupported("tracefs is mounted read-only", "as root: mount -o remount,rw "+s.tracefs)
	case err != nil:
		return unsupported(err.Error(), "run as root")
	}
	return f.Close()
}

// cause returns the text of a system call's error, without the path.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err.Error()
}

func unsupported(why, do string) error {
	return &impls.UnsupportedError{What: "switching the running kernel's events", Why: why, Do: do}
}
