package torture

import (
	"strings"
	"testing"
)

// If this fails, a sound way to remove probes breaks a promise under torture; or one that
// is busted on purpose is not caught any more, or by another invariant than the one it
// breaks.
func TestUnregister(t *testing.T) {
	breaks := map[string]string{ // the invariants that may be the first to be seen broken
		"fail":         "M1",
		"double-array": "M1 M2 M3",
	}
	for _, s := range unregisterSubjects() {
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

// If this fails, a firing that misses a probe, calls one twice, or calls them out of order
// passes for a good one; or one in which somebody came or went meanwhile for a bad one.
func TestM2Misses(t *testing.T) {
	list := func(s string) (list []uint64) {
		for _, c := range s {
			list = append(list, uint64(c-'0'))
		}
		return list
	}
	for _, c := range []struct {
		called, before, after string
		good                  bool
	}{
		{"123", "123", "123", true},
		{"", "", "", true},
		{"13", "123", "123", false},
		{"132", "123", "123", false},
		{"1223", "123", "123", false},
		{"13", "123", "13", true},     // 2 went
		{"123", "123", "13", true},    // too late
		{"1423", "123", "1423", true}, // 4 came
		{"123", "123", "1423", true},  // too late
		{"44", "", "", false},
		{"3", "123", "3", true},
	} {
		if what := misses(list(c.called), list(c.before), list(c.after)); (what == "") != c.good {
			t.Errorf("called %s, sure of %s and %s: %q", c.called, c.before, c.after, what)
		}
	}
}
