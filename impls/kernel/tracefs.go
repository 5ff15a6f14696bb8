package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/tpbench/tpbench/impls"
)

// Name names the running kernel among the implementations.
const Name = "running-kernel"

// A system says where tracefs and proc are, and how to make and remove an instance. Tests use
// ordinary directories in place of both.
type system struct {
	tracefs, proc string
	prefix        string // of the names of the instances
	mkdir, rmdir  func(dir string) error
	pause         func() // between two tries to remove what is busy
}

func running() system {
	return system{
		tracefs: "/sys/kernel/tracing",
		proc:    "/proc",
		prefix:  "tpbench-",
		mkdir:   func(dir string) error { return os.Mkdir(dir, 0o700) },
		rmdir:   os.Remove,
		pause:   func() { time.Sleep(10 * time.Millisecond) },
	}
}

// Check reports why the running kernel's events cannot be switched, or nil.
func Check() error { return running().check() }

func (s system) check() error {
	mount := "as root: mount -t tracefs nodev " + s.tracefs
	_, err := os.Stat(filepath.Join(s.tracefs, "available_events"))
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

// Events returns the number of the kernel's events, or 0 if tracefs cannot be read.
func Events() int {
	list, _ := os.ReadFile(filepath.Join(running().tracefs, "available_events"))
	return bytes.Count(list, []byte("\n"))
}

// An Instance is a tracing instance of this process. Several goroutines may call its methods:
// one measures, and another closes upon a signal.
type Instance struct {
	dir   string
	rmdir func(dir string) error

	mu      sync.Mutex // protects the fields below, and orders writes
	held    *os.File   // a file of the instance, open until Close; see Sweep
	closing bool       // Close was called: Switch does nothing
	removed bool
}

// Open makes an instance with all its events off.
func Open() (*Instance, error) { return running().open() }

func (s system) open() (*Instance, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	self, err := s.self()
	if err != nil {
		return nil, unsupported("this process cannot read its own entry in proc: "+err.Error(), "as root: mount -t proc proc "+s.proc)
	}
	i := &Instance{dir: filepath.Join(s.tracefs, "instances", s.name(self)), rmdir: s.rmdir}
	if err := s.mkdir(i.dir); err != nil {
		return nil, unsupported("making an instance: "+err.Error(), "run as root on a kernel with CONFIG_TRACING")
	}
	if i.held, err = writeFile("0", i.dir, "tracing_on"); err != nil {
		if err2 := i.rmdir(i.dir); err2 != nil {
			err = fmt.Errorf("%w; and the instance is still there: %w", err, err2)
		}
		return nil, fmt.Errorf("kernel: %w", err)
	}
	return i, nil
}

// writeFile writes to a file of an instance, and leaves it open.
func writeFile(value string, elem ...string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(elem...), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(value); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Switch turns all events on or off. It returns when the kernel has done so. After Close it fails.
func (i *Instance) Switch(on bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closing {
		return fmt.Errorf("kernel: %s: %w", i.dir, os.ErrClosed)
	}
	return i.write(on)
}

// Close switches the events off and removes the instance. It waits for a Switch that
// runs. After it has succeeded, another call does nothing; after an error, it tries again.
func (i *Instance) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.removed {
		return nil
	}
	i.closing = true
	off := i.write(false)
	_ = i.held.Close() // all is written; in a second Close it is closed already
	if err := i.rmdir(i.dir); err != nil {
		return errors.Join(off, fmt.Errorf("kernel: %w", err))
	}
	i.removed = true // the kernel has switched the events off, even if off is an error
	return nil
}

func (i *Instance) write(on bool) error {
	value := "0"
	if on {
		value = "1"
	}
	f, err := writeFile(value, i.dir, "events", "enable")
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	return nil
}
