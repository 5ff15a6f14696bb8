package host

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
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
	var thread sync.WaitGroup
	thread.Go(f)
	thread.Wait()
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
			list := here().field("proc/thread-self/status", "Cpus_allowed_list")
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
func TestPinFails(t *testing.T) {
	for _, cpu := range []int{-1, maxCPU, 1 << 30} {
		pinned(func() {
			err := Pin(cpu)
			var unavailable *UnavailableError
			if !errors.As(err, &unavailable) || unavailable.What == "" || unavailable.Do == "" {
				t.Errorf("Pin(%d): %v, want an *UnavailableError with What and Do", cpu, err)
			}
		})
	}
}

// If this fails, Switches counts a thread's own sleeps, and every batch with a sleep in it
// looks disturbed.
func TestSwitches(t *testing.T) {
	pinned(func() {
		runtime.LockOSThread()
		before, err1 := Switches()
		// A thread that sleeps gives its CPU away: no involuntary switch.
		const sleeps = 100
		for range sleeps {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: 1000}, nil)
		}
		after, err2 := Switches()
		if err := errors.Join(err1, err2); err != nil || before < 0 || after < before || after-before >= sleeps {
			t.Errorf("%d switches, and %d after %d sleeps, %v", before, after, sleeps, err)
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
	case m&syncCore != 0 && m&privateExpedited == 0:
		t.Errorf("%v: no kernel has sync-core without private-expedited", m)
	}
}

func BenchmarkSwitches(b *testing.B) {
	for b.Loop() {
		if _, err := Switches(); err != nil {
			b.Fatal(err)
		}
	}
}
