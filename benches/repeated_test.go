package benches

import (
	"testing"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/rcu"
)

// If this fails, a bulk change that lasts as long as a time slice is repeated until it is not
// interrupted, which on a busy machine is never; or a short one, or a few short transitions,
// are timed once.
func TestShortOperationsAreRepeated(t *testing.T) {
	for name, want := range map[string]int{
		"DisableAll/impl=batched/gp=memb/events=128/probes=1/readers=0":     0,
		"DisableAll/impl=batched/gp=memb/events=129/probes=1/readers=0":     1,
		"DisableAll/impl=batched/gp=kernelgp/events=100/probes=1/readers=0": 1,
		"DisableAll/impl=batched/gp=paced/events=100/probes=1/readers=0":    1,
		"Churn/impl=naive-sync/gp=memb/readers=0":                           0,
		"Churn/impl=naive-sync/gp=kernelgp/readers=0":                       transitionsPerSample,
		"Unregister/impl=stub/gp=srcu/fail=all/probes=8/readers=0":          0,
		"Unregister/impl=stub/gp=kernelgp/fail=all/probes=8/readers=0":      transitionsPerSample,
		"UprobeRegister/impl=srcu/batch=10":                                 0,
	} {
		if c, err := Find(name); err != nil || c.Ops != want {
			t.Errorf("%s: %d operations are a sample, %v; want %d", name, c.Ops, err, want)
		}
	}
}

// If this fails, what an earlier bulk change has left to free is freed while the next is timed.
func TestBulkSettles(t *testing.T) {
	s := &setup{domain: find(rcu.Variants(), expedited).New(rcu.Options{})}
	defer s.domain.Close()
	freed, operations := 0, 0
	free := func() { freed++ } // Barrier orders it before the operation
	s.domain.Call(free)
	s.settled(func(n int, _ harness.Timer) {
		operations++
		if n != 1 || freed != operations {
			t.Errorf("operation %d of %d at once: %d callbacks have run", operations, n, freed)
		}
		s.domain.Call(free)
	})(3, nil)
	if operations != 3 {
		t.Errorf("%d operations, want 3", operations)
	}
	s.domain.Barrier()
}
