package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tpbench/tpbench/impls"
)

// Busy reports who else traces this kernel, or nil: an [impls.UnsupportedError] that names one. An
// event that is on already has a probe; to switch it is another transition. What killed runs of
// tpbench have left counts, too: call [Sweep] before.
func Busy() error { return running().busy() }

func (s system) busy() error {
	self, err := s.self()
	if err != nil {
		return unsupported("this process cannot read its own entry in proc: "+err.Error(), "as root: mount -t proc proc "+s.proc)
	}
	for _, look := range []func(owner) (who, end string, err error){s.tracing, s.probing, s.counting} {
		who, end, err := look(self)
		if err != nil {
			return fmt.Errorf("kernel: %w", err)
		}
		if who != "" {
			return &impls.UnsupportedError{What: "measuring the running kernel", Why: who, Do: end}
		}
	}
	return nil
}

// tracing finds a tracer, or events that are on, in tracefs and in the instances of others.
func (s system) tracing(self owner) (who, end string, err error) {
	dirs := []string{s.tracefs}
	instances, err := os.ReadDir(filepath.Join(s.tracefs, "instances"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	for _, e := range instances {
		if o, _ := s.ownerOf(e.Name()); o != self && e.IsDir() {
			dirs = append(dirs, filepath.Join(s.tracefs, "instances", e.Name()))
		}
	}
	for _, dir := range dirs {
		tracer, err1 := readIfAny(dir, "current_tracer")
		events, err2 := readIfAny(dir, "set_event")
		if err := errors.Join(err1, err2); err != nil {
			return "", "", err
		}
		if tracer != "" && tracer != "nop" {
			return "the tracer " + tracer + " is on in " + dir, "end it: echo nop > " + filepath.Join(dir, "current_tracer"), nil
		}
		if events != "" {
			first, _, more := strings.Cut(events, "\n")
			if more {
				first += fmt.Sprintf(" and %d more", strings.Count(events, "\n"))
			}
			return "events are on in " + dir + ": " + first, "end who traces, or: echo 0 > " + filepath.Join(dir, "events/enable"), nil
		}
	}
	return "", "", nil
}

// probing finds kprobes and uprobes that others have defined.
func (s system) probing(self owner) (who, end string, err error) {
	for _, name := range []string{"kprobe_events", "uprobe_events"} {
		list, err := readIfAny(s.tracefs, name)
		if err != nil {
			return "", "", err
		}
		for line := range strings.Lines(list) {
			if group, _, _ := probeOf(line); s.groupOwner(group) != self {
				path := filepath.Join(s.tracefs, name)
				return path + " has " + strings.TrimSpace(line), "end who has made it, or: echo > " + path, nil
			}
		}
	}
	return "", "", nil
}

// counting finds perf events of other processes. It passes over processes that it may not look at.
func (s system) counting(self owner) (who, end string, err error) {
	processes, err := os.ReadDir(s.proc)
	if err != nil {
		return "", "", err
	}
	for _, p := range processes {
		if p.Name() == self.pid || strings.Trim(p.Name(), "0123456789") != "" {
			continue
		}
		fds := filepath.Join(s.proc, p.Name(), "fd")
		entries, _ := os.ReadDir(fds) // it may end meanwhile
		for _, fd := range entries {
			if to, _ := os.Readlink(filepath.Join(fds, fd.Name())); to == "anon_inode:[perf_event]" {
				name, _ := readIfAny(s.proc, p.Name(), "comm")
				return fmt.Sprintf("process %s (%s) has perf events open", p.Name(), name), "end it", nil
			}
		}
	}
	return "", "", nil
}

// readIfAny returns the text of a file, or "" if there is no such file: the kernel lacks it, or the
// instance or the process has ended.
func readIfAny(elem ...string) (string, error) {
	text, err := os.ReadFile(filepath.Join(elem...))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return strings.TrimSpace(string(text)), err
}
