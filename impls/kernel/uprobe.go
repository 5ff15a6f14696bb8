package kernel

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/tpbench/tpbench/impls"
)

// Slots is the number of places for uprobes in this program's own text. Slot i has the instruction
// Insns[i%3], and then returns.
const Slots = 1000

// Insns are the instructions at which uprobes are measured. The kernel emulates all of them; from
// 6.18 on it replaces a nop5 by a call once it has been hit.
var Insns = []string{"nop", "nop5", "push"}

// Vias are the ways to attach uprobes.
//
//	perf     a perf event for each, of this thread; detached by its close
//	tracefs  a line of uprobe_events for each, and an instance where they are on; detached by a
//	         write to the enable file of each
//	multi    one BPF link for all, of this process; detached by its close. Linux 6.6 or later.
var Vias = []string{"perf", "tracefs", "multi"}

// Uprobes are attached uprobes.
type Uprobes struct {
	perf  []perfEvent
	multi io.Closer

	instance *Instance
	enabled  []string     // the names of the events that are on in it
	remove   func() error // removes the group
}

// AttachUprobes attaches uprobes to the first n slots. Everything that is wrong with this machine
// is an [impls.UnsupportedError].
func AttachUprobes(via string, n int) (*Uprobes, error) { return running().attachUprobes(via, n) }

func (s system) attachUprobes(via string, n int) (*Uprobes, error) {
	if n < 1 || n > Slots {
		return nil, fmt.Errorf("kernel: %d uprobes, expected 1 to %d", n, Slots)
	}
	attach := map[string]func(u *Uprobes, path string, offsets []uint64) error{
		"perf":    s.attachPerf,
		"tracefs": s.attachTracefs,
		"multi":   attachMulti,
	}[via]
	if attach == nil {
		return nil, &impls.UnknownError{Kind: "way to attach uprobes", Name: via, Nearest: impls.Nearest(via, Vias)}
	}
	path, offsets, err := s.slotOffsets(n)
	if err != nil {
		return nil, noUprobes(via, err.Error(), "run an x86-64 build of tpbench, with proc mounted at /proc, from a file that is still there")
	}
	u := &Uprobes{}
	if err := attach(u, path, offsets); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

func noUprobes(via, why, do string) error {
	return &impls.UnsupportedError{What: "attaching uprobes through " + via, Why: why, Do: do}
}

// slotOffsets returns the file of this program, and where in it the first n slots are.
func (s system) slotOffsets(n int) (path string, offsets []uint64, err error) {
	path, err = os.Readlink(filepath.Join(s.proc, "self", "exe"))
	if err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return "", nil, err // "/tmp/x (deleted)"
	}
	maps, err := os.ReadFile(filepath.Join(s.proc, "self", "maps"))
	if err != nil {
		return "", nil, err
	}
	for i := range n {
		address, err := slotAddress(i)
		if err != nil {
			return "", nil, err
		}
		offset, err := fileOffset(string(maps), uint64(address))
		if err != nil {
			return "", nil, err
		}
		offsets = append(offsets, offset)
	}
	return path, offsets, nil
}

// fileOffset returns where in its file an address is. maps is /proc/self/maps, of lines such as
//
//	00400000-00a1c000 r-xp 00001000 fe:00 12345   /usr/bin/tpbench
func fileOffset(maps string, address uint64) (uint64, error) {
	for line := range strings.Lines(maps) {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			continue // of no file
		}
		from, to, _ := strings.Cut(fields[0], "-")
		start, err1 := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		offset, err3 := strconv.ParseUint(fields[2], 16, 64)
		if errors.Join(err1, err2, err3) == nil && start <= address && address < end {
			return address - start + offset, nil
		}
	}
	return 0, fmt.Errorf("no file is mapped at %#x", address)
}

func (s system) attachPerf(u *Uprobes, path string, offsets []uint64) error {
	pmu, err := s.pmu("uprobe")
	if err != nil {
		return noUprobes("perf", err.Error(), "boot a kernel with CONFIG_UPROBE_EVENTS, with sysfs mounted at /sys")
	}
	for _, offset := range offsets {
		e, err := s.openProbe(pmu, path, offset, 0, -1)
		if err != nil {
			return noUprobes("perf", err.Error(), "run as root, from a file system that has uprobes, such as ext4 or tmpfs")
		}
		u.perf = append(u.perf, e)
	}
	return nil
}

// attachTracefs also makes an instance, in which the uprobes are on: what is on at the top of
// tracefs records into everybody's buffer.
func (s system) attachTracefs(u *Uprobes, path string, offsets []uint64) (err error) {
	if u.instance, err = s.open("-uprobes"); err != nil {
		return err
	}
	self, err := s.self()
	if err != nil {
		return noUprobes("tracefs", err.Error(), "as root: mount -t proc proc "+s.proc)
	}
	group := s.groupOf(self)
	var lines strings.Builder
	for i, offset := range offsets {
		fmt.Fprintf(&lines, "p:%s/u%d %s:%#x\n", group, i, path, offset)
	}
	u.remove = func() error { // also after a write that failed halfway
		return s.removeGroups(func(g string) bool { return g == group })
	}
	if err := s.appendTo(filepath.Join(s.tracefs, "uprobe_events"), lines.String()); err != nil {
		return noUprobes("tracefs", err.Error(), "boot a kernel with CONFIG_UPROBE_EVENTS, and run from a path without spaces, in a file system that has uprobes, such as ext4 or tmpfs")
	}
	for i := range offsets {
		event := group + "/u" + strconv.Itoa(i)
		if err := u.instance.Enable(event, true); err != nil {
			return err
		}
		u.enabled = append(u.enabled, event)
	}
	return nil
}

// appendTo writes lines to a file of tracefs. The kernel obeys line by line; without O_APPEND
// opening uprobe_events would remove what others have defined.
func appendTo(path, lines string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(lines)
	return errors.Join(err, f.Close())
}

// Detach detaches the uprobes: one by one, or all in one batch (multi). A second call does nothing.
func (u *Uprobes) Detach() error {
	var errs []error
	for _, e := range u.perf {
		errs = append(errs, e.close())
	}
	for _, event := range u.enabled {
		errs = append(errs, u.instance.Enable(event, false))
	}
	if u.multi != nil {
		errs = append(errs, u.multi.Close())
	}
	u.perf, u.enabled, u.multi = nil, nil, nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("kernel: detaching a uprobe: %w", err)
	}
	return nil
}

// Close also removes what the uprobes were defined by. A second call does nothing.
func (u *Uprobes) Close() error {
	errs := []error{u.Detach()}
	if u.instance != nil {
		errs = append(errs, u.instance.Close())
	}
	if u.remove != nil {
		errs = append(errs, u.remove())
	}
	return errors.Join(errs...)
}

// Hit executes the first slot that has the instruction n times. It has a uprobe if three are
// attached.
func Hit(insn string, n int) {
	slot := slices.Index(Insns, insn)
	if slot < 0 {
		panic(fmt.Sprintf("kernel: no slot has the instruction %q", insn))
	}
	hit(slot, n)
}

// The group of a process in uprobe_events is called as its instance, but a group's name has no
// dashes.
func (s system) groupOf(o owner) string { return strings.ReplaceAll(s.name(o), "-", "_") }

// groupOwner is the inverse of groupOf. Its owner of a group that is not tpbench's is owner{}.
func (s system) groupOwner(group string) owner {
	o, _ := s.ownerOf(strings.ReplaceAll(group, "_", "-"))
	return o
}

// probeOf parses a line of uprobe_events or kprobe_events, "p:GROUP/EVENT PATH:OFFSET".
func probeOf(line string) (group, event string, ok bool) {
	first, _, _ := strings.Cut(line, " ")
	_, name, _ := strings.Cut(first, ":")
	return strings.Cut(name, "/")
}

// removeGroups removes the uprobes of groups from uprobe_events. They must be off.
//
// The kernel obeys line by line, up to the first that fails. Another process may remove the same
// uprobes at the same time (ENOENT), and a thread of a killed process may not have ended yet (EBUSY,
// see remove). So removeGroups tries again with what is left.
func (s system) removeGroups(whether func(group string) bool) error {
	path := filepath.Join(s.tracefs, "uprobe_events")
	for try := 1; ; try++ {
		list, err := readIfAny(path)
		if err != nil {
			return fmt.Errorf("kernel: %w", err)
		}
		var lines strings.Builder
		for line := range strings.Lines(list) {
			if group, event, ok := probeOf(line); ok && whether(group) {
				fmt.Fprintf(&lines, "-:%s/%s\n", group, event)
			}
		}
		if lines.Len() == 0 {
			return nil
		}
		err = s.appendTo(path, lines.String())
		if err == nil || try == busyTries || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EBUSY) {
			return err
		}
		s.pause()
	}
}
