package torture

import (
	"context"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// try tortures a subject, a sound one briefly, and checks that it did what its status
// says.
func try(t *testing.T, s Subject) Report {
	t.Helper()
	judge.Need(t, s.Check(), s.Family, s.Name)
	o := Options{For: 300 * time.Millisecond, Seed: judge.Rand(t).Uint64()}
	if s.Status == impls.Busted {
		if testing.Short() {
			t.Skip("busted: may take until it is caught")
		}
		o.For = 30 * time.Second
	}
	r, err := s.Torture(context.Background(), o)
	judge.Check(t, err)
	t.Logf("%+v", r)
	if s.Status == impls.Sound && r.Failure != "" {
		t.Error(r.Failure)
	}
	if s.Status == impls.Busted && r.Failure == "" {
		t.Errorf("busted, and not caught in %v", o.For)
	}
	if r.Failure == "" && (r.Executions == 0 || r.Transitions == 0) {
		t.Error("nothing was done, and so nothing was tried")
	}
	return r
}
