package torture

import (
	"context"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// eachFlavor runs the test for every flavour of that status.
func eachFlavor(t *testing.T, status impls.Status, test func(t *testing.T, s Subject)) {
	for _, s := range rcuSubjects() {
		if s.Status == status {
			t.Run(s.Name, func(t *testing.T) {
				judge.Need(t, s.Check(), "rcu", s.Name)
				test(t, s)
			})
		}
	}
}

// If this fails, a grace period was too short, a cookie was satisfied too early, or a
// callback ran at another time than it should. If it hangs, something is never tortured.
func TestRCUSoundHolds(t *testing.T) {
	eachFlavor(t, impls.Sound, func(t *testing.T, s Subject) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		began := time.Now()
		r, err := s.Torture(ctx, Options{For: time.Hour, Seed: judge.Rand(t).Uint64(), Progress: func(so Report) {
			if time.Since(began) > 300*time.Millisecond && so.Executions > 0 && so.Transitions > 0 && so.GracePeriods > 0 {
				cancel()
			}
		}})
		judge.Check(t, err)
		t.Logf("%+v", r)
		if r.Failure != "" {
			t.Error(r.Failure)
		}
	})
}

// If this fails, the torture overlooks what it is there to find, and its silence about
// the sound flavours is worth nothing.
func TestRCUBustedBreaks(t *testing.T) {
	if testing.Short() {
		t.Skip("may take 10 s for each; and the race detector would report, rightly, what is busted on purpose")
	}
	eachFlavor(t, impls.Busted, func(t *testing.T, s Subject) {
		r, err := s.Torture(context.Background(), Options{For: 10 * time.Second, Seed: judge.Rand(t).Uint64()})
		judge.Check(t, err)
		if r.Failure == "" {
			t.Fatalf("held for %v: %+v", r.After, r.Tally)
		}
		t.Logf("after %v: %s", r.After, r.Failure)
	})
}

// If this fails, a reader faults its memory in while it is tortured: its first second is the
// kernel's, and the updaters have the CPUs to themselves, or wait for it.
func TestReaderMemoryIsThere(t *testing.T) {
	r := (&flavorTorture{attack: &attack{}}).newReader(0)
	const page = 4096 / 8
	for i := 0; i < len(r.memory); i += page {
		if r.memory[i] == 0 {
			t.Fatalf("page %d was never written", i/page)
		}
	}
}
