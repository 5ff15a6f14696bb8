package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// slotText is a slot of each kind, in the order of Insns.
var slotText = [][]byte{
	{0x90, 0xc3},
	{0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc3},
	{0x55, 0x5d, 0xc3},
}

// slotsInFile returns the bytes of all slots, as the kernel finds them in the file.
func slotsInFile(t *testing.T) []byte {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the places for uprobes are x86-64 instructions")
	}
	path, offsets, err := running().slotOffsets(Slots)
	must(t, err)
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	text := make([]byte, Slots*16)
	_, err = f.ReadAt(text, int64(offsets[0]))
	must(t, err)
	for i, offset := range offsets {
		if offset != offsets[0]+uint64(i)*16 || offset%16 != 0 {
			t.Fatalf("slot %d is at offset %#x, the first at %#x", i, offset, offsets[0])
		}
	}
	return text
}

// If this fails, uprobes are written over other instructions than those they are measured at, which
// crashes this program or others.
func TestSlots(t *testing.T) {
	text := slotsInFile(t)
	for i := range Slots {
		want := slotText[i%len(Insns)]
		padded := append(slices.Clone(want), bytes.Repeat([]byte{0xcc}, 16-len(want))...)
		if got := text[i*16:][:16]; !bytes.Equal(got, padded) {
			t.Fatalf("slot %d is % x, expected % x", i, got, padded)
		}
	}
	if now := slotsInMemory(t); !bytes.Equal(now, text) {
		t.Error("the text that runs is another one")
	}
	for i := range Slots {
		hit(i, 2)
	}
	for _, insn := range Insns {
		Hit(insn, 0)
		Hit(insn, 3)
	}
	defer func() {
		if recover() == nil {
			t.Error("an instruction that no slot has was hit")
		}
	}()
	Hit("none", 1)
}

// slotsInMemory returns the bytes that this process executes.
func slotsInMemory(t *testing.T) []byte {
	t.Helper()
	address, err := slotAddress(0)
	must(t, err)
	mem, err := os.Open("/proc/self/mem")
	must(t, err)
	defer mem.Close()
	text := make([]byte, Slots*16)
	_, err = mem.ReadAt(text, int64(address))
	must(t, err)
	return text
}

// If this fails, uprobes are attached at other places of the file, and crash this program.
func TestFileOffset(t *testing.T) {
	const maps = `00400000-00401000 r--p 00000000 fe:00 5   /x y
00401000-00500000 r-xp 00001000 fe:00 5   /x y
7f0000000000-7f0000002000 r-xp 00004000 fe:00 6   /lib/z
7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0
nonsense
`
	for address, want := range map[uint64]int64{
		0x401000: 0x1000, 0x401234: 0x1234, 0x4fffff: 0xfffff, 0x7f0000000010: 0x4010,
		0x500000: -1, 0x3fffff: -1, 0x7ffc00000000: -1, 0: -1,
	} {
		if offset, err := fileOffset(maps, address); (err != nil) != (want < 0) || err == nil && offset != uint64(want) {
			t.Errorf("%#x: %#x, %v, expected %#x", address, offset, err, want)
		}
	}
}

// If this fails, a wrong request attaches something, or is no clear error.
func TestAttachUprobesRefused(t *testing.T) {
	for _, n := range []int{-1, 0, Slots + 1} {
		if u, err := AttachUprobes("perf", n); u != nil || err == nil || !strings.Contains(err.Error(), "expected 1 to 1000") {
			t.Errorf("%d uprobes: %v", n, err)
		}
	}
	if u, err := AttachUprobes("trace", 1); u != nil || err == nil || !strings.Contains(err.Error(), `"trace"; nearest: tracefs`) {
		t.Errorf("an unknown way: %v", err)
	}
	slotsInFile(t)
	gone := fake(t) // of which proc/self/exe is not there
	if u, err := gone.attachUprobes("perf", 1); u != nil || !errors.Is(err, impls.ErrUnsupported) {
		t.Errorf("without a file: %v", err)
	}
	must(t, os.Symlink("/tpbench (deleted)", filepath.Join(gone.proc, "self", "exe")))
	if u, err := gone.attachUprobes("perf", 1); u != nil || !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), "(deleted)") {
		t.Errorf("with a file that was deleted: %v", err)
	}
}

// If this fails, uprobes that could not all be attached stay.
func TestAttachUprobesFailsHalfWay(t *testing.T) {
	slotsInFile(t)
	s, _ := probes(t, nil)
	exe, err := os.Executable()
	must(t, err)
	must(t, os.Symlink(exe, filepath.Join(s.proc, "self", "exe")))
	maps, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	write(t, string(maps), s.proc, "self", "maps")
	write(t, "9", s.sys, "bus/event_source/devices/uprobe/type")
	var open []*probe
	s.openProbe = func(pmu uint32, _ string, _ uint64, task, cpu int) (perfEvent, error) {
		if pmu != 9 || task != 0 || cpu != -1 {
			t.Errorf("opened a probe of PMU %d for task %d on CPU %d", pmu, task, cpu)
		}
		if len(open) == 3 {
			return nil, syscall.EIO
		}
		open = append(open, &probe{})
		return open[len(open)-1], nil
	}
	if u, err := s.attachUprobes("perf", 5); u != nil || !errors.Is(err, impls.ErrUnsupported) || len(open) != 3 || !open[0].closed || !open[1].closed || !open[2].closed {
		t.Errorf("perf: %v, %d opened", err, len(open))
	}

	var asked string
	events := filepath.Join(s.tracefs, "uprobe_events")
	for _, fails := range []bool{true, false} { // the definitions; the enabling, as a fake has no such files
		s.appendTo = func(path, lines string) error {
			if strings.HasPrefix(lines, "-") {
				asked = lines
				return nil
			}
			write(t, lines, events)
			if fails {
				return syscall.EINVAL
			}
			return nil
		}
		u, err := s.attachUprobes("tracefs", 2)
		if u != nil || err == nil || len(s.instances(t)) > 0 || strings.Count(asked, "\n") != 2 || strings.Count(asked, "-:tpbench_") != 2 {
			t.Errorf("tracefs, the definitions fail: %v: %v, left %v, asked for %q", fails, err, s.instances(t), asked)
		}
	}
}

// If this fails, on the real kernel, uprobes are not where they are to be, or stay after Detach or
// Close, or an instance or a group stays, or hits crash.
func TestUprobes(t *testing.T) {
	requireKernel(t)
	before := slotsInFile(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := tested()
	for _, via := range Vias {
		for _, n := range []int{1, 3, 40} {
			u, err := s.attachUprobes(via, n)
			if errors.Is(err, impls.ErrUnsupported) {
				t.Log(err)
				break
			}
			must(t, err)
			for i := range Slots {
				if text := slotsInMemory(t)[i*16]; (text == 0xcc) != (i < n) {
					t.Fatalf("%s, %d uprobes: slot %d begins with %#x", via, n, i, text)
				}
				if i > n {
					break
				}
			}
			if n >= len(Insns) {
				for _, insn := range Insns {
					Hit(insn, 5)
				}
				if via == "perf" {
					for i := range Insns {
						if hits, err := u.perf[i].count(); hits != 5 || err != nil {
							t.Errorf("%s was hit %d times, %v, expected 5", Insns[i], hits, err)
						}
					}
				}
			}
			for range 2 {
				must(t, u.Detach())
				if now := slotsInMemory(t); !bytes.Equal(now, before) {
					t.Errorf("%s, %d uprobes: the text is not as before", via, n)
				}
			}
			for _, insn := range Insns {
				Hit(insn, 5)
			}
			for range 2 {
				must(t, u.Close())
			}
		}
	}
	self, err := s.self()
	must(t, err)
	gone(t, filepath.Join(s.tracefs, "instances", s.name(self)+"-uprobes"))
	if list, err := os.ReadFile(filepath.Join(s.tracefs, "uprobe_events")); err == nil && bytes.Contains(list, []byte(s.groupOf(self))) {
		t.Errorf("uprobes stay: %s", list)
	}
}

// If this fails, on the real kernel, Fire does not fire its events, and their cost is measured as
// nothing.
func TestFire(t *testing.T) {
	requireKernel(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	Fire(3)
	for _, name := range FireEvents {
		if n, err := Events(name); n != 1 || err != nil {
			t.Errorf("the kernel has %d events %s, %v", n, name, err)
		}
		id, err := readNumber(running().tracefs, "events", name, "id")
		must(t, err)
		e, err := openTracepoint(id)
		must(t, err)
		Fire(1000)
		if n, err := e.count(); n != 1000 || err != nil {
			t.Errorf("%s fired %d times, %v, expected 1000", name, n, err)
		}
		must(t, e.close())
	}
}

// If this fails, tracefs that is mounted nowhere is not to be had by root, or the mount is seen by
// others.
func TestMountDetached(t *testing.T) {
	requireKernel(t)
	before, err := os.ReadFile("/proc/mounts")
	must(t, err)
	dir, err := mountDetached("tracefs")
	must(t, err)
	defer syscall.Close(dir)
	s := tested()
	s.tracefs = fmt.Sprintf("/proc/self/fd/%d", dir)
	i := opened(t, s)
	if _, err := os.Stat(filepath.Join(running().tracefs, "instances", filepath.Base(i.dir))); err != nil {
		t.Errorf("it is another tracefs: %v", err)
	}
	must(t, i.Close())
	if after, err := os.ReadFile("/proc/mounts"); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the mounts were\n%sand are\n%s%v", before, after, err)
	}
	if _, err := mountDetached("nosuchfs"); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("a file system that the kernel lacks: %v", err)
	}
}
