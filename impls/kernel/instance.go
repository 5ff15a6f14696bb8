package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tpbench/tpbench/impls"
)

// Events returns how many events of the kernel have that name: "" is all, "sched" those of a
// subsystem, "sched/sched_switch" one. The error is an [impls.UnsupportedError] if it has none.
func Events(what string) (int, error) { return running().events(what) }

func (s system) events(what string) (int, error) {
	list, err := os.ReadFile(filepath.Join(s.tracefs, "available_events"))
	if err != nil {
		return 0, fmt.Errorf("kernel: %w", err)
	}
	subsystem, event, one := strings.Cut(what, "/")
	n := 0
	for line := range bytes.Lines(list) {
		// Each line is SUBSYSTEM:EVENT.
		in, name, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		if what == "" || in == subsystem && (!one || name == event) {
			n++
		}
	}
	if n == 0 {
		return 0, &impls.UnsupportedError{
			What: "switching the events " + what,
			Why:  "this kernel has none of that name",
			Do:   "take a name from " + filepath.Join(s.tracefs, "events"),
		}
	}
	return n, nil
}

// An Instance is a tracing instance of this process. Several goroutines may call its methods:
// one measures, and another closes upon a signal.
type Instance struct {
	dir   string
	rmdir func(dir string) error

	mu      sync.Mutex // protects the fields below, and orders writes
	held    *os.File   // a file of the instance, open until Close; see Sweep
	closing bool       // Close was called: Enable and Record do nothing
	removed bool
}

// Open makes an instance with all its events off, which does not record.
func Open() (*Instance, error) { return running().open("") }

// open makes an instance whose name ends in use. A process has at most one of each use.
func (s system) open(use string) (*Instance, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	self, err := s.self()
	if err != nil {
		return nil, unsupported("this process cannot read its own entry in proc: "+err.Error(), "as root: mount -t proc proc "+s.proc)
	}
	i := &Instance{dir: filepath.Join(s.tracefs, "instances", s.name(self)+use), rmdir: s.rmdir}
	if err := s.mkdir(i.dir); err != nil {
		return nil, unsupported("making an instance: "+err.Error(), "run as root on a kernel with CONFIG_TRACING")
	}
	if i.held, err = writeFile("0", i.dir, "tracing_on"); err == nil {
		// The first event of an instance that is on would also switch three of sched, to record the
		// names of commands.
		err = put("norecord-cmd", i.dir, "trace_options")
	}
	if err != nil {
		_ = i.held.Close() // it may be nil
		if err2 := i.rmdir(i.dir); err2 != nil {
			err = fmt.Errorf("%w; and the instance is still there: %w", err, err2)
		}
		return nil, fmt.Errorf("kernel: %w", err)
	}
	return i, nil
}

// writeFile writes to a file, and leaves it open.
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

// put writes to a file.
func put(value string, elem ...string) error {
	f, err := writeFile(value, elem...)
	if err != nil {
		return err
	}
	return f.Close()
}

// Enable turns events on or off, which are named as for [Events]. It returns when the kernel has
// done so. After Close it fails.
func (i *Instance) Enable(what string, on bool) error {
	if what != "" && (!fs.ValidPath(what) || what == "." || strings.Count(what, "/") > 1) {
		return fmt.Errorf("kernel: %q names no events; expected SUBSYSTEM or SUBSYSTEM/EVENT", what)
	}
	return i.set(on, "events", filepath.FromSlash(what), "enable")
}

// Record turns the recording into the instance's ring buffer on or off. Events that are on fire
// in both cases. After Close it fails.
func (i *Instance) Record(on bool) error { return i.set(on, "tracing_on") }

func (i *Instance) set(on bool, elem ...string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closing {
		return fmt.Errorf("kernel: %s: %w", i.dir, os.ErrClosed)
	}
	value := "0"
	if on {
		value = "1"
	}
	if err := put(value, append([]string{i.dir}, elem...)...); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	return nil
}

// Close switches the events off and removes the instance. It waits for an Enable that
// runs. After it has succeeded, another call does nothing; after an error, it tries again.
func (i *Instance) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.removed {
		return nil
	}
	i.closing = true
	off := put("0", i.dir, "events", "enable")
	_ = i.held.Close() // all is written; in a second Close it is closed already
	if err := i.rmdir(i.dir); err != nil {
		return fmt.Errorf("kernel: %w", errors.Join(off, err))
	}
	i.removed = true // the kernel has switched the events off, even if off is an error
	return nil
}
