package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// If this fails, samples begin while the threads of a fresh kernel run, or never.
func TestAwaitIdle(t *testing.T) {
	for _, tt := range []struct {
		name string
		busy func(look int) uint64 // ticks since the look before
		want int                   // sleeps
	}{
		{"idle", func(int) uint64 { return 0 }, idleRow},
		{"its own ticks", func(int) uint64 { return busyTicks }, idleRow},
		{"busy at first", func(look int) uint64 { return map[bool]uint64{true: 10}[look <= 30] }, 30 + idleRow},
		{"busy once between", func(look int) uint64 { return map[bool]uint64{true: busyTicks + 1}[look == idleRow-1] }, 2*idleRow - 1},
		{"always busy", func(int) uint64 { return 10 }, idleMost},
	} {
		var looks, sleeps int
		var total uint64
		err := awaitIdle(func() (uint64, error) {
			if looks > 0 {
				total += tt.busy(looks)
			}
			looks++
			return total, nil
		}, func(d time.Duration) {
			if d != idleInterval {
				t.Errorf("slept %v", d)
			}
			sleeps++
		})
		if sleeps != tt.want || err != nil {
			t.Errorf("%s: looked %d times, want %d (%v)", tt.name, sleeps, tt.want, err)
		}
	}
	broken := errors.New("broken")
	if err := awaitIdle(func() (uint64, error) { return 0, broken }, func(time.Duration) {}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// If this fails, a guest has fewer CPUs than it was given, or its first process stops at CPU 0, which cannot be switched.
func TestBringUp(t *testing.T) {
	dir := t.TempDir()
	file := func(cpu, name string) string { return filepath.Join(dir, cpu, name) }
	for _, cpu := range []string{"cpu0", "cpu1", "cpu2", "cpu11", "cpuidle"} {
		if err := os.Mkdir(filepath.Join(dir, cpu), 0o777); err != nil {
			t.Fatal(err)
		}
		if cpu != "cpu0" {
			if err := os.WriteFile(file(cpu, "online"), []byte("0"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := runtime.GOMAXPROCS(0)
	if err := bringUp(dir); err != nil {
		t.Fatal(err)
	}
	for cpu, want := range map[string]string{"cpu0": "", "cpu1": "1", "cpu2": "1", "cpu11": "1", "cpuidle": "0"} {
		if got, _ := os.ReadFile(file(cpu, "online")); string(got) != want {
			t.Errorf("%s: online is %q, want %q", cpu, got, want)
		}
	}
	if now := runtime.GOMAXPROCS(0); now != before {
		t.Errorf("GOMAXPROCS was %d, and is %d", before, now)
	}
	if err := os.Remove(file("cpu2", "online")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file("cpu2", "online"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := bringUp(dir); err == nil || !strings.Contains(err.Error(), "bringing up a CPU") {
		t.Errorf("a CPU that cannot be switched: %v", err)
	}
}

// If this fails, idle time counts as busy, and no guest becomes ready before the longest wait.
func TestBusyOf(t *testing.T) {
	if busy, err := busyOf("cpu  1 20 300 4000 50000 600000 7000000 80000000 900000000 0\ncpu0 1\n"); busy != 87600321 || err != nil {
		t.Errorf("got %d, %v", busy, err)
	}
	if busy, err := allBusy(); busy == 0 || err != nil {
		t.Errorf("this machine: %d, %v", busy, err)
	}
	for _, text := range []string{"", "intr 1 2 3 4 5 6 7 8 9\n", "cpu 1 2 3\n", "cpu 1 2 3 4 5 6 x 8\n"} {
		if _, err := busyOf(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// notFirstEnv makes TestNotFirst the process that is not a guest's first.
const notFirstEnv = "GUEST_TEST_NOT_FIRST"

// If this fails, init on a host would mount over its directories, or kill its processes. So that it can do neither here,
// another user tries.
func TestNotFirst(t *testing.T) {
	if os.Getenv(notFirstEnv) != "" {
		defer func() { fmt.Println("killAll:", recover()) }()
		fmt.Println("Init:", Init(nil))
		killAll()
	}
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	const nobody = 65534
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestNotFirst$")
	cmd.Env = append(os.Environ(), notFirstEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"Init: " + errNotFirst.Error(), "killAll: guest: this would kill every process of the host"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s (%v)", want, out, err)
		}
	}
}

// If this fails, a line of a command is cut in two, or joined with the next.
func TestLineWriter(t *testing.T) {
	var lines []string
	w := &lineWriter{send: func(line string) { lines = append(lines, line) }}
	for _, text := range []string{"a", "b\n\nc", "", "d\ne\n", "f"} {
		if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	w.end()
	if want := []string{"ab", "", "cd", "e", "f"}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}
