package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// Sweep removes the instances of ours whose owner is dead, with their events, and
// returns their names. It leaves the instances of living owners alone, and those of
// everybody else. The error tells of each instance that is left for another reason; where
// tracefs is not there, or not for this process to change, there is nothing to tell.
func Sweep() (removed []string, err error) { return running().sweep() }

func (s system) sweep() (removed []string, err error) {
	instances := filepath.Join(s.tracefs, "instances")
	entries, err := os.ReadDir(instances)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	var left []error
	for _, e := range entries {
		o, ours := s.ownerOf(e.Name())
		if !ours || !e.IsDir() {
			continue
		}
		dir := filepath.Join(instances, e.Name())
		dead, err := s.dead(o)
		if err != nil {
			left = append(left, fmt.Errorf("the tracing instance %s stays, because it cannot be told whether its owner lives: %w; if it is dead: rmdir %s", e.Name(), err, dir))
			continue
		}
		if !dead {
			continue
		}
		// The kernel switches the events of an instance off when it removes it
		// (event_trace_del_tracer), and refuses while a file of it is open. To
		// write events/enable first would switch the events of an owner that
		// lives where this process cannot see it.
		switch err := s.remove(dir); {
		case err == nil:
			removed = append(removed, e.Name())
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENODEV), errors.Is(err, fs.ErrPermission):
			// Another one was faster (ENODEV: it was killed while it removed its instance,
			// which the kernel then finishes), or it is not for this process to remove.
		default:
			left = append(left, fmt.Errorf("the tracing instance %s, whose owner is dead, stays with its events: %s; end what has it open, then: rmdir %s", e.Name(), cause(err), dir))
		}
	}
	return removed, errors.Join(left...)
}

// busyTries is how often sweep tries to remove what is busy: for two seconds.
const busyTries = 200

// remove removes the instance of a dead owner. A process that was killed is a zombie from
// when its first thread has ended; until its last one has, which may be switching events,
// the files are open:
//
//	the killed worker                    the next command
//	thread 0 ends: state Z
//	thread 1 is in a write
//	   to events/enable
//	                                     rmdir: EBUSY
//	thread 1 ends: files closed
//	                                     rmdir
func (s system) remove(dir string) error {
	for try := 1; ; try++ {
		err := s.rmdir(dir)
		if try == busyTries || !errors.Is(err, syscall.EBUSY) {
			return err
		}
		s.pause()
	}
}

// An owner is the process that made an instance.
type owner struct {
	pid   string
	start string // in ticks since boot; "" in the names of earlier versions
}

func (s system) name(o owner) string { return s.prefix + o.pid + "-" + o.start }

var ownerRE = regexp.MustCompile(`^([1-9][0-9]*)(?:-([0-9]+))?$`)

// ownerOf is the inverse of name. It also knows tpbench-PID, as earlier versions wrote.
func (s system) ownerOf(name string) (o owner, ours bool) {
	rest, ours := strings.CutPrefix(name, s.prefix)
	m := ownerRE.FindStringSubmatch(rest)
	if !ours || m == nil {
		return owner{}, false
	}
	return owner{m[1], m[2]}, true
}

// self is this process as proc has it: where proc is another pid namespace's, that is
// not what getpid says.
func (s system) self() (owner, error) {
	o, _, err := s.process("self")
	return o, err
}

// dead reports whether the process is gone, by its pid or by the start of the process
// that has the pid now. A zombie is dead, though threads of it may not have ended yet: see
// remove.
func (s system) dead(o owner) (bool, error) {
	now, state, err := s.process(o.pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		_, err := s.self() // without a proc, nobody is found
		return err == nil, err
	}
	if err != nil {
		return false, err
	}
	return state == "Z" || state == "X" || o.start != "" && o.start != now.start, nil
}

// process reads PID/stat: "42 (name) S ...", with the start as field 22. A name may have
// parentheses and spaces of its own.
func (s system) process(pid string) (o owner, state string, err error) {
	path := filepath.Join(s.proc, pid, "stat")
	text, err := os.ReadFile(path)
	if err != nil {
		return owner{}, "", err
	}
	head, _, _ := strings.Cut(string(text), " ")
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // from field 3
	if _, err := strconv.ParseUint(head, 10, 32); err != nil || len(fields) < 20 {
		return owner{}, "", fmt.Errorf("%s is not what proc(5) says: %q", path, text)
	}
	return owner{head, fields[19]}, fields[0], nil
}
