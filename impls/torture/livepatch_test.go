package torture

import (
	"strings"
	"testing"
)

// If this fails, livepatch breaks a promise under torture; or the variant that is busted
// on purpose is not caught any more, or by an invariant that it has nothing to do with.
func TestLivepatch(t *testing.T) {
	breaks := map[string]string{"rcu": "K1 K2 K3 K4"}
	for _, s := range livepatchSubjects() {
		t.Run(s.Name, func(t *testing.T) {
			r := try(t, s)
			if want, ok := breaks[s.Name]; ok {
				if id, _, _ := strings.Cut(r.Failure, ":"); !strings.Contains(want, id) {
					t.Errorf("broke %q, want one of %s", r.Failure, want)
				}
			}
		})
	}
}
