package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Sweep puts back what killed runs of tpbench have left in the kernel, and returns what it has
// removed, each as the end of a sentence: their instances with the events that are on, their
// uprobes, and settings that a journal notes. It does not change what living owners and other
// programs have made. The error names each thing that stays. If tracefs is not mounted, or this
// process may not change it, Sweep passes over it.
func Sweep() (removed []string, err error) { return running().sweep() }

func (s system) sweep() (removed []string, err error) {
	// An instance keeps its uprobes on, and a uprobe that is on cannot be removed.
	instances, left1 := s.sweepInstances()
	groups, left2 := s.sweepGroups()
	journals, left3 := s.sweepJournals()
	return slices.Concat(instances, groups, journals), errors.Join(slices.Concat(left1, left2, left3)...)
}

func (s system) sweepInstances() (removed []string, left []error) {
	instances := filepath.Join(s.tracefs, "instances")
	entries, err := os.ReadDir(instances)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{fmt.Errorf("kernel: %w", err)}
	}
	for _, e := range entries {
		o, known := s.ownerOf(e.Name())
		if !known || !e.IsDir() {
			continue
		}
		dir := filepath.Join(instances, e.Name())
		dead, err := s.dead(o)
		if err != nil {
			left = append(left, fmt.Errorf("the tracing instance %s stays, because it is unknown whether its owner lives: %w; if it is dead: rmdir %s", e.Name(), err, dir))
			continue
		}
		if !dead {
			continue
		}
		// rmdir switches the events off (event_trace_del_tracer), and fails while a file of
		// the instance is open. Do not write events/enable before it: the owner may live
		// where this process does not see it.
		switch err := s.remove(dir); {
		case err == nil:
			removed = append(removed, "the tracing instance "+e.Name()+" and its events")
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENODEV), errors.Is(err, fs.ErrPermission):
			// Another process has removed it (ENODEV: the owner was killed during its rmdir,
			// which the kernel then completes), or this process may not remove it.
		default:
			left = append(left, fmt.Errorf("the tracing instance %s, whose owner is dead, stays with its events: %s; end the process that has it open, then: rmdir %s", e.Name(), cause(err), dir))
		}
	}
	return removed, left
}

// sweepGroups removes the uprobes of dead owners. The kernel refuses to remove one that is on in
// an instance that could not be removed.
func (s system) sweepGroups() (removed []string, left []error) {
	path := filepath.Join(s.tracefs, "uprobe_events")
	list, err := os.ReadFile(path)
	if err != nil {
		return nil, nil // there are no uprobes, or this process may not change them
	}
	groups := map[string]bool{} // whether the owner is dead
	for line := range strings.Lines(string(list)) {
		group, _, _ := probeOf(line)
		o := s.groupOwner(group)
		if _, seen := groups[group]; seen || o == (owner{}) {
			continue
		}
		dead, err := s.dead(o)
		if groups[group] = dead; err != nil {
			left = append(left, fmt.Errorf("the uprobes %s stay, because it is unknown whether their owner lives: %w", group, err))
		}
		if err == nil && dead {
			removed = append(removed, "the uprobes "+group)
		}
	}
	if len(removed) == 0 {
		return nil, left
	}
	if err := s.removeGroups(func(group string) bool { return groups[group] }); err != nil {
		return nil, append(left, fmt.Errorf("%s, whose owner is dead, stay in %s: %w", strings.Join(removed, " and "), path, err))
	}
	return removed, left
}

// busyTries is how often remove tries: for two seconds.
const busyTries = 200

// remove removes the instance of a dead owner. A killed process becomes a zombie when its first
// thread ends. Its files are open until its last thread ends, which may be switching events:
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

var ownerRE = regexp.MustCompile(`^([1-9][0-9]*)(?:-([0-9]+)(?:-[a-z]+)?)?$`)

// ownerOf is the inverse of name. It also accepts what follows in an instance's name, and
// tpbench-PID, the names of earlier versions.
func (s system) ownerOf(name string) (o owner, ok bool) {
	rest, ok := strings.CutPrefix(name, s.prefix)
	m := ownerRE.FindStringSubmatch(rest)
	if !ok || m == nil {
		return owner{}, false
	}
	return owner{m[1], m[2]}, true
}

// self returns this process as proc shows it. getpid returns another pid if proc is that of
// another pid namespace.
func (s system) self() (owner, error) {
	o, _, err := s.process("self")
	return o, err
}

// dead reports whether the process has ended: no process has its pid, or the one that has it
// started at another time. A zombie is dead, although threads of it may still run: see remove.
func (s system) dead(o owner) (bool, error) {
	now, state, err := s.process(o.pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		_, err := s.self() // if this fails, proc is missing, and no process is found in it
		return err == nil, err
	}
	if err != nil {
		return false, err
	}
	return state == "Z" || state == "X" || o.start != "" && o.start != now.start, nil
}

// process parses PID/stat: "42 (name) S ...", with the start as field 22. A name may contain
// parentheses and spaces.
func (s system) process(pid string) (o owner, state string, err error) {
	path := filepath.Join(s.proc, pid, "stat")
	text, err := os.ReadFile(path)
	if err != nil {
		return owner{}, "", err
	}
	head, _, _ := strings.Cut(string(text), " ")
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // from field 3
	if _, err := strconv.ParseUint(head, 10, 32); err != nil || len(fields) < 20 {
		return owner{}, "", fmt.Errorf("%s is not as in proc(5): %q", path, text)
	}
	return owner{head, fields[19]}, fields[0], nil
}
