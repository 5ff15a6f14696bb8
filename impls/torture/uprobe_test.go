package torture

import (
	"strings"
	"testing"
)

// If this fails, a uprobe variant breaks a promise under torture; or a busted one is not
// caught any more, or by an invariant that it has nothing to do with.
func TestUprobe(t *testing.T) {
	breaks := map[string]string{"epoch-eager": "UP3 UP4 UP5", "no-epoch": "UP3 UP4 UP5", "inc-from-zero": "UP1 UP2 UP3 UP4", "no-retry": "UP1"}
	for _, s := range uprobeSubjects() {
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
