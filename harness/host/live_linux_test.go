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

// The fact binary is about the file that was started. (Where that is not replaced, its
// path leads to it too.)
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

// pinned runs f on a goroutine of its own, whose thread ends with it.
func pinned(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

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
			runtime.Gosched() // would move a goroutine that is not bound to its thread
			status, err := os.ReadFile("/proc/thread-self/status")
			if err != nil {
				t.Error(err)
				return
			}
			_, list, _ := strings.Cut(string(status), "Cpus_allowed_list:")
			list, _, _ = strings.Cut(list, "\n")
			if got, err := ParseCPUs(list); err != nil || !slices.Equal(got, []int{cpu}) {
				t.Errorf("pinned to %d, the kernel says %q", cpu, list)
			}
			if again, err := Allowed(); err != nil || !slices.Equal(again, allowed) {
				t.Errorf("Allowed was %v and is %v, %v on a pinned thread", allowed, again, err)
			}
		})
	}
}

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
				t.Errorf("Pin(%d): %+v does not say what and what to do", cpu, unavailable)
			}
		})
	}
}

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
		// A thread that gives its CPU away is not made to.
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

func TestQueryMembarrier(t *testing.T) {
	m, err := QueryMembarrier()
	var unavailable *UnavailableError
	switch {
	case errors.As(err, &unavailable):
		t.Skip(err)
	case err != nil:
		t.Error(err)
	case m.PrivateExpeditedSyncCore && !m.PrivateExpedited:
		t.Errorf("%v: no kernel has the one without the other", m)
	}
}

// If this fails, a command of membarrier(2) that the kernel withholds is taken for one that
// it offers.
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
