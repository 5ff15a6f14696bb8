package torture

import (
	"strings"
	"testing"
)

// If this fails, a sound strategy or dispatch breaks a promise under torture; or one that
// is busted on purpose is not caught any more, and then nothing else here is worth
// anything; or it is caught by another invariant than the one that it breaks.
func TestTracepointsAndDispatch(t *testing.T) {
	breaks := map[string]string{ // the invariants that may be the first to be seen broken
		"direct-static-call": "T1 T2 T3",
		"no-sync-2-1":        "T1 T2 T3",
		"publish-first":      "T1 T3",
		"compare-func":       "T3",
		"no-sync-1-0":        "T1 T2 T3",
		"no-state-n":         "T1 T2 T3",
		"wrong-flavour":      "T1 T2 T3",
		"keeps-oldest":       "T1 T2 T3",
		"unchecked-iterator": "D4",
	}
	for _, s := range append(tracepointSubjects(), dispatchSubjects()...) {
		t.Run(s.Family+"/"+s.Name, func(t *testing.T) {
			r := try(t, s)
			if want, ok := breaks[s.Name]; ok {
				if id, _, _ := strings.Cut(r.Failure, ":"); !strings.Contains(want, id) {
					t.Errorf("broke %q, want one of %s", r.Failure, want)
				}
			}
		})
	}
}
