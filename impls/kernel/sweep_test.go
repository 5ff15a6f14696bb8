package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// If this fails, Sweep leaves an instance of a dead owner, or removes another one.
func TestSweep(t *testing.T) {
	s := fake(t)
	s.lives(t, "7", "7", "S", "70")
	s.lives(t, "8", "8", "R", "81") // another process was 8 at 80
	s.lives(t, "9", "9", "Z", "90")
	s.lives(t, "6", "6", "X", "60")
	instances := map[string]bool{ // whether the owner is dead
		"tpbench-100-5000": false, // this process
		"tpbench-7-70":     false,
		"tpbench-8-81":     false,
		"tpbench-8":        false, // the name does not say which 8
		"tpbench-8-80":     true,
		"tpbench-9-90":     true, // a zombie
		"tpbench-6-60":     true,
		"tpbench-10-70":    true,
		"tpbench-11":       true,
		// Names that tpbench does not give:
		"foreign": false, "tpbench": false, "tpbench-": false, "tpbench-x": false, "tpbench-0-1": false,
		"tpbench-10-70-1": false, "tpbench-10-": false, "tpbench--10": false, "my-tpbench-10-70": false, "tpbench-10-70~": false,
		"10-70": false, "11": false,
	}
	for name := range instances {
		s.makes(t, name)
	}
	write(t, "", s.tracefs, "instances", "tpbench-12-1") // a file
	removed, err := s.sweep()
	left := s.instances(t)
	if err != nil || len(removed)+len(left) != len(instances)+1 || !slices.Contains(left, "tpbench-12-1") {
		t.Errorf("removed %v, %v, and left %v", removed, err, left)
	}
	for name, dead := range instances {
		if slices.Contains(removed, instance(name)) != dead || slices.Contains(left, name) == dead {
			t.Errorf("%s, whose owner is dead: %v; removed %v and left %v", name, dead, removed, left)
		} else if !dead && read(t, filepath.Join(s.tracefs, "instances", name)) != "1" {
			t.Errorf("the events of %s were switched", name)
		}
	}
	if removed, err := s.sweep(); removed != nil || err != nil {
		t.Errorf("the second time: %v, %v", removed, err)
	}
}

// instance is what Sweep says of an instance that it has removed.
func instance(name string) string { return "the tracing instance " + name + " and its events" }

// If this fails, an instance stays whose owner was killed just before, while a thread of the owner
// still runs; or sweep waits without end, or for an error other than EBUSY.
func TestSweepWaitsWhileBusy(t *testing.T) {
	for _, tc := range []struct {
		why                  error
		failing, tries, left int
	}{
		{syscall.EBUSY, 0, 1, 0}, {syscall.EBUSY, 1, 2, 0}, {syscall.EBUSY, busyTries - 1, busyTries, 0},
		{syscall.EBUSY, busyTries, busyTries, 1}, {syscall.EIO, 1, 1, 1},
	} {
		s := fake(t)
		s.makes(t, "tpbench-20-1")
		tries, pauses := 0, 0
		s.rmdir = func(dir string) error {
			if tries++; tries <= tc.failing {
				return tc.why
			}
			return os.RemoveAll(dir)
		}
		s.pause = func() { pauses++ }
		removed, err := s.sweep()
		if tries != tc.tries || pauses != tries-1 || len(removed) != 1-tc.left || (err != nil) != (tc.left > 0) {
			t.Errorf("%+v: removed %v, %v in %d tries with %d pauses", tc, removed, err, tries, pauses)
		}
	}
}

// If this fails, an instance that cannot be removed is not reported, or keeps Sweep from removing
// the others, or its events are switched: its owner may live where this process does not see it.
func TestSweepBusy(t *testing.T) {
	s := fake(t)
	for _, name := range []string{"tpbench-20-1", "tpbench-21-1", "tpbench-22-1", "tpbench-23-1", "tpbench-24-1", "tpbench-25-1"} {
		s.makes(t, name)
	}
	s.rmdir = func(dir string) error {
		why := map[string]error{"tpbench-21-1": syscall.EBUSY, "tpbench-22-1": syscall.ENOENT, "tpbench-23-1": syscall.EPERM, "tpbench-25-1": syscall.ENODEV}[filepath.Base(dir)]
		if why != nil {
			return &os.PathError{Op: "remove", Path: dir, Err: why}
		}
		return os.RemoveAll(dir)
	}
	removed, err := s.sweep()
	if !slices.Equal(removed, []string{instance("tpbench-20-1"), instance("tpbench-24-1")}) {
		t.Errorf("removed %v", removed)
	}
	if err == nil || !strings.Contains(err.Error(), "tpbench-21-1, whose owner is dead, stays with its events: "+syscall.EBUSY.Error()) {
		t.Errorf("the error is %v", err)
	}
	if err != nil && (strings.Contains(err.Error(), "22-1") || strings.Contains(err.Error(), "25-1") || strings.Contains(err.Error(), "23-1")) {
		t.Errorf("the error names an instance that another process removed or that is not to be removed: %v", err)
	}
	if events := read(t, filepath.Join(s.tracefs, "instances", "tpbench-21-1")); events != "1" {
		t.Errorf("the events of the busy instance are %s", events)
	}
}

// If this fails, Sweep removes an instance although proc does not tell whether its owner lives.
func TestSweepWithoutProc(t *testing.T) {
	s := fake(t)
	s.makes(t, "tpbench-10-70")
	for _, stat := range []string{
		"", "nonsense", "10", "10 (x", "10 (x)", "10 (x) Z",
		"10 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n",           // no start
		"-10 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 71 20 21\n", // no pid
	} {
		write(t, stat, s.proc, "10", "stat")
		if removed, err := s.sweep(); removed != nil || err == nil || !strings.Contains(err.Error(), "proc(5)") {
			t.Errorf("stat is %q: %v, %v", stat, removed, err)
		}
	}
	must(t, os.RemoveAll(s.proc))
	if removed, err := s.sweep(); removed != nil || err == nil || !strings.Contains(err.Error(), "it is unknown whether") {
		t.Errorf("no proc: %v, %v", removed, err)
	}
}

// If this fails, Sweep reports an error on a machine without tracefs.
func TestSweepWithoutTracefs(t *testing.T) {
	s := fake(t)
	s.tracefs = filepath.Join(s.tracefs, "none")
	if removed, err := s.sweep(); removed != nil || err != nil {
		t.Errorf("%v, %v", removed, err)
	}
	write(t, "", s.tracefs, "instances") // a file
	if removed, err := s.sweep(); removed != nil || !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("instances that cannot be listed: %v, %v", removed, err)
	}
}

// tested returns the running kernel with another prefix, so that a tpbench that runs at the
// same time does not sweep the test's instances.
func tested() system {
	s := running()
	s.prefix = "tpbenchtest-"
	return s
}

// child is the variable that makes this binary the owner in TestSweepReal ("hold") and in
// TestSweepAnyMoment (a directory for the setting and its journals).
const child = "TPBENCH_KERNEL_CHILD"

func TestMain(m *testing.M) {
	switch mode := os.Getenv(child); mode {
	case "":
	case "hold":
		i, err := tested().open("")
		if err == nil {
			err = i.Enable("", true)
		}
		fmt.Println(filepath.Base(i.dir), err)
		time.Sleep(time.Minute) // the test kills it before
		os.Exit(1)
	default:
		fmt.Println("changing")
		for {
			if err := changeAll(tested().in(mode)); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}

// in returns the system with another place for the setting and its journals. Other processes set
// the real one.
func (s system) in(dir string) system {
	s.sys, s.journals = dir, dir
	return s
}

// changeAll makes everything that is put back, and puts it back.
func changeAll(s system) error {
	i, err := s.open("")
	if err != nil {
		return err
	}
	restore, err := s.expedite()
	if err == nil {
		err = i.Enable("task", true)
	}
	if err == nil {
		var u *Uprobes
		u, err = s.attachUprobes("tracefs", 10)
		if err == nil {
			err = u.Close()
		} else if runtime.GOARCH != "amd64" {
			err = nil
		}
	}
	if restore != nil {
		err = errors.Join(err, restore())
	}
	return errors.Join(err, i.Close())
}

// started starts a copy of this binary as an owner. It returns the line that the owner says, and a function
// that kills it and returns what it said after that. A copy, because a process that is killed while it
// detaches a uprobe leaves the breakpoint in the text of other processes of the same file: the kernel
// logs "failed to unregister, leaking uprobe".
func started(t *testing.T, mode string) (said string, pid string, kill func() string) {
	t.Helper()
	self, err := os.ReadFile(os.Args[0])
	must(t, err)
	owner := filepath.Join(t.TempDir(), "owner")
	must(t, os.WriteFile(owner, self, 0o700))
	cmd := exec.Command(owner)
	cmd.Env = append(os.Environ(), child+"="+mode)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	stdout := bufio.NewReader(out)
	kill = sync.OnceValue(func() string {
		_ = cmd.Process.Kill() // fails if it has exited
		rest, err := io.ReadAll(stdout)
		must(t, err)
		_ = cmd.Wait() // it was killed
		return string(rest)
	})
	t.Cleanup(func() {
		kill()
		if _, err := tested().sweep(); err != nil {
			t.Error(err)
		}
	})
	said, err = stdout.ReadString('\n')
	must(t, err)
	return said, strconv.Itoa(cmd.Process.Pid), kill
}

// If this fails, on the real kernel, something stays of a run that was killed: an instance with its
// events, a uprobe, expedited grace periods, a journal.
func TestSweepAnyMoment(t *testing.T) {
	requireKernel(t)
	s := tested().in(t.TempDir())
	write(t, "0", s.sys, rcuExpedited)
	found := map[string]bool{}
	// Ten moments, and later ones if those left nothing: where another process detaches uprobes, each step of the owner
	// waits for the kernel's event_mutex.
	for n := 0; n < 10 || n < 100 && (!found["the tracing"] || !found["the journal"]); n++ {
		said, pid, kill := started(t, s.sys)
		if said != "changing\n" {
			t.Fatalf("the owner said %q", said)
		}
		time.Sleep(rand.N(time.Duration(n+1) * 20 * time.Millisecond))
		if said := kill(); said != "" {
			t.Fatalf("the owner could not change the kernel: %s", said)
		}
		removed, err := s.sweep()
		if err != nil {
			t.Errorf("removed %q, %v", removed, err)
		}
		for _, what := range removed {
			found[strings.Join(strings.Fields(what)[:2], " ")] = true // "the journal"
		}
		if set, err := s.setting(rcuExpedited); set != "0" || err != nil || len(s.listJournals()) > 0 {
			t.Errorf("removed %q, and %s is %q, %v, with journals %v", removed, rcuExpedited, set, err, s.listJournals())
		}
		for _, name := range s.instances(t) {
			if o, _ := s.ownerOf(name); o.pid == pid {
				t.Errorf("removed %q, and the instance %s is left", removed, name)
			}
		}
		if events, err := readIfAny(s.tracefs, "uprobe_events"); err != nil || strings.Contains(events, "tpbenchtest_"+pid) {
			t.Errorf("removed %q, and uprobes are left: %s, %v", removed, events, err)
		}
	}
	if !found["the tracing"] || !found["the journal"] {
		t.Errorf("the runs left only %v, so this test shows nothing", found)
	}
}

// If this fails, on the real kernel, Sweep removes the instance of a living owner, which a Sweep
// with another proc takes for dead; or leaves the instance of a killed one.
func TestSweepReal(t *testing.T) {
	requireKernel(t)
	s := tested()
	said, _, end := started(t, "hold")
	name, ok := strings.CutSuffix(said, " <nil>\n")
	if !ok {
		t.Fatalf("the owner printed %q", said)
	}
	dir := filepath.Join(s.tracefs, "instances", name)

	if removed, err := s.sweep(); removed != nil || err != nil || read(t, dir) != "1" {
		t.Errorf("swept while the owner lives: %v, %v", removed, err)
	}
	blind := s // like a process of another pid namespace
	blind.proc = fake(t).proc
	removed, err := blind.sweep()
	if removed != nil || err == nil || !strings.Contains(err.Error(), syscall.EBUSY.Error()) || read(t, dir) != "1" {
		t.Errorf("swept while an owner lives that proc does not show: %v, %v", removed, err)
	}

	end()
	if read(t, dir) != "1" {
		t.Error("a killed owner does not leave its events on, so this test shows nothing")
	}
	if removed, err := s.sweep(); !slices.Equal(removed, []string{instance(name)}) || err != nil {
		t.Errorf("removed %v, %v, expected %s", removed, err, name)
	}
	gone(t, dir)
}
