package host

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// If this fails, the facts or checks of the machine that runs the tests are not well formed.
func TestLive(t *testing.T) {
	facts := Facts()
	vetFacts(t, facts)
	for _, f := range facts {
		t.Logf("%s: %s", f.Key, f.Value)
	}
	checks := Doctor()
	vetChecks(t, checks)
	for _, c := range checks {
		t.Logf("%-4v %s: %s", c.Status, c.Name, c.Found)
	}
}

// If this fails, the fact binary is not about the file that was started. The test reads that
// by its path, since nothing replaces it meanwhile.
func TestBinaryLive(t *testing.T) {
	file, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Skip(err)
	}
	want := fmt.Sprintf("%x", sha256.Sum256(file))[:16]
	if got := here().binary(); got != want {
		t.Errorf("binary is %q, expected %q", got, want)
	}
}

// pinned runs f on its own goroutine, so that a thread that f pins ends with it.
func pinned(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// If this fails, a thread is not on the CPU that Pin was called with, or Allowed shrinks with
// a Pin.
func TestPin(t *testing.T) {
	allowed, err := Allowed()
	if err != nil {
		t.Fatal(err)
	}
	for _, cpu := range allowed {
		pinned(func() {
			if err := Pin(cpu); err != nil {
				t.Error(err)
				return
			}
			runtime.Gosched() // may move a goroutine that is not bound to its thread
			status, err := os.ReadFile("/proc/thread-self/status")
			if err != nil {
				t.Error(err)
				return
			}
			_, list, _ := strings.Cut(string(status), "Cpus_allowed_list:")
			list, _, _ = strings.Cut(list, "\n")
			if got, err := parseCPUs(list); err != nil || !slices.Equal(got, []int{cpu}) {
				t.Errorf("pinned to %d, and the kernel allows %q", cpu, list)
			}
			if again, err := Allowed(); err != nil || !slices.Equal(again, allowed) {
				t.Errorf("Allowed was %v and is %v, %v on a pinned thread", allowed, again, err)
			}
		})
	}
}

// If this fails, Pin with a CPU that this process may not use fails without saying what to do.
func TestPinRefuses(t *testing.T) {
	for _, cpu := range []int{-1, maxCPU, 1 << 30} {
		pinned(func() {
			err := Pin(cpu)
			var unavailable *UnavailableError
			if !errors.As(err, &unavailable) {
				t.Errorf("Pin(%d): %v, want an *UnavailableError", cpu, err)
				return
			}
			if unavailable.What == "" || unavailable.Do == "" {
				t.Errorf("Pin(%d): %+v lacks What or Do", cpu, unavailable)
			}
		})
	}
}

// If this fails, Switches counts a thread's own sleeps, and every batch with a sleep in it
// looks disturbed.
func TestSwitches(t *testing.T) {
	pinned(func() {
		runtime.LockOSThread()
		before, err := Switches()
		if err != nil {
			t.Error(err)
			return
		}
		if after, err := Switches(); err != nil || before < 0 || after < before {
			t.Errorf("%d switches, then %d, %v", before, after, err)
		}
		// A thread that sleeps gives its CPU away: no involuntary switch.
		const sleeps = 100
		if before, err = Switches(); err != nil {
			t.Error(err)
		}
		for range sleeps {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: 1000}, nil)
		}
		if after, err := Switches(); err != nil || after-before >= sleeps {
			t.Errorf("%d switches in %d sleeps, %v", after-before, sleeps, err)
		}
	})
}

// If this fails, the mask of membarrier(2) is decoded with wrong bits.
func TestQueryMembarrier(t *testing.T) {
	m, err := queryMembarrier()
	var unavailable *UnavailableError
	switch {
	case errors.As(err, &unavailable):
		t.Skip(err)
	case err != nil:
		t.Error(err)
	case m.PrivateExpeditedSyncCore && !m.PrivateExpedited:
		t.Errorf("%v: no kernel has sync-core without private-expedited", m)
	}
}

// If this fails, Doctor reports a command of membarrier(2) that the kernel does not offer.
func TestOffered(t *testing.T) {
	for mask, want := range map[uintptr]string{
		0: "none", 1: "global", 1 << 3: "private-expedited", 1 << 5: "private-expedited-sync-core",
		1<<1 | 1<<2 | 1<<4 | 1<<6 | 1<<7: "none",
	} {
		if got := offered(mask).String(); got != want {
			t.Errorf("%#x offers %s, want %s", mask, got, want)
		}
	}
}

func BenchmarkSwitches(b *testing.B) {
	for b.Loop() {
		if _, err := Switches(); err != nil {
			b.Fatal(err)
		}
	}
}
