package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tpbench/tpbench/impls"
)

// rcuExpedited is the only setting of the whole kernel that this package changes, below /sys. While
// it is 1, a wait for RCU interrupts the CPUs and does not wait for their ticks.
//
// Other processes change it, too, and a process may be killed while it is changed. So the change is
// noted in a journal:
//
//  1. Expedite writes the file /run/tpbench-PID-START.json with the old and the new value. A kill
//     does not take back what was written.
//  2. It writes the setting.
//  3. restore writes the old value if the setting still is the new one, and removes the journal.
//
// A process that is killed between 1 and 3 leaves its journal. Sweep then does 3. A journal that is
// torn was never whole, so the setting was not written: Sweep removes the journal only.
//
// The directory is on a file system in memory, so a journal does not outlive the setting.
const rcuExpedited = "kernel/rcu_expedited"

// A change is what a journal holds.
type change struct {
	Path     string // below /sys
	Old, New string
}

// Expedite makes the kernel's RCU grace periods expedited ones. restore makes them what they were
// before, unless somebody else has changed the setting since; a second call does nothing. The error
// is an [impls.UnsupportedError] if the setting cannot be changed or has no effect, or if another
// tpbench has changed it.
func Expedite() (restore func() error, err error) { return running().expedite() }

func (s system) expedite() (restore func() error, err error) {
	refused := func(why, do string) error {
		return &impls.UnsupportedError{What: "expediting grace periods", Why: why, Do: do}
	}
	old, err := s.setting(rcuExpedited)
	if err != nil {
		return nil, refused(err.Error(), "mount sysfs at /sys; a kernel with CONFIG_TINY_RCU has no such setting")
	}
	if normal, _ := s.setting("kernel/rcu_normal"); normal == "1" {
		return nil, refused("rcu_normal is set, and has precedence", "echo 0 > "+filepath.Join(s.sys, "kernel/rcu_normal"))
	}
	self, err := s.self()
	if err != nil {
		return nil, refused("this process cannot read its own entry in proc: "+err.Error(), "as root: mount -t proc proc "+s.proc)
	}
	journal := filepath.Join(s.journals, s.name(self)+".json")
	c := change{rcuExpedited, old, "1"}
	if err := c.note(journal); err != nil {
		return nil, refused(err.Error(), "run as root")
	}
	// Of two processes that do this at the same time, one sees the other's journal, or both do. So no
	// process takes the value of another for the old one.
	others, err := s.otherJournals(self)
	if err == nil && others != "" {
		err = refused("another tpbench has changed it, see "+others, "wait until it has ended")
	}
	if err == nil {
		if err = put(c.New, s.sys, c.Path); err != nil {
			err = refused(err.Error(), "run as root")
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(journal))
	}
	return func() error { return s.restore(journal, c) }, nil
}

// note writes the journal.
func (c change) note(journal string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(journal, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(journal))
	}
	return nil
}

// restore writes the old value if the setting still is the new one, and removes the journal.
func (s system) restore(journal string, c change) error {
	if _, err := os.Stat(journal); errors.Is(err, os.ErrNotExist) {
		return nil // restored before
	}
	now, err := s.setting(c.Path)
	if err == nil && now == c.New {
		err = put(c.Old, s.sys, c.Path)
	}
	if err != nil {
		return fmt.Errorf("kernel: %s stays: %w", c.Path, err)
	}
	return os.Remove(journal)
}

// otherJournals returns the journal of another living process, or "".
func (s system) otherJournals(self owner) (string, error) {
	for _, j := range s.listJournals() {
		if dead, err := s.dead(j.owner); j.owner != self && !dead {
			return j.path, err
		}
	}
	return "", nil
}

type journal struct {
	path  string
	owner owner
}

func (s system) listJournals() (list []journal) {
	entries, _ := os.ReadDir(s.journals) // a directory that cannot be read has no journal of ours
	for _, e := range entries {
		name, isJSON := strings.CutSuffix(e.Name(), ".json")
		if o, known := s.ownerOf(name); known && isJSON && e.Type().IsRegular() {
			list = append(list, journal{filepath.Join(s.journals, e.Name()), o})
		}
	}
	return list
}

// sweepJournals does 3 for owners that are dead.
func (s system) sweepJournals() (removed []string, left []error) {
	for _, j := range s.listJournals() {
		dead, err := s.dead(j.owner)
		if err != nil {
			left = append(left, fmt.Errorf("the journal %s stays, because it is unknown whether its owner lives: %w", j.path, err))
		}
		if err != nil || !dead {
			continue
		}
		text, err := os.ReadFile(j.path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			continue // another process has restored it, or this one may not
		}
		var c change
		switch torn := json.Unmarshal(text, &c); {
		case err != nil:
		case torn != nil:
			err = os.Remove(j.path)
		case c.Path != rcuExpedited:
			err = fmt.Errorf("it names %q, which tpbench does not change; to be rid of it: rm %s", c.Path, j.path)
		default:
			err = s.restore(j.path, c)
		}
		if err != nil {
			left = append(left, fmt.Errorf("the journal %s, whose owner is dead, stays: %w", j.path, err))
			continue
		}
		removed = append(removed, "the journal "+j.path)
	}
	return removed, left
}
