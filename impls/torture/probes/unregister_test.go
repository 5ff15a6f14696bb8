package probes

import "testing"

// If this fails, a firing that misses a probe, calls one twice, or calls them out of order
// is not reported (M2); or one is reported during which a probe was registered or removed.
func TestM2Misses(t *testing.T) {
	list := func(s string) (list []uint64) {
		for _, c := range s {
			list = append(list, uint64(c-'0'))
		}
		return list
	}
	for _, c := range []struct {
		calls, before, after string
		good                 bool
	}{
		{"123", "123", "123", true},
		{"", "", "", true},
		{"13", "123", "123", false},
		{"132", "123", "123", false},
		{"1223", "123", "123", false},
		{"13", "123", "13", true},     // 2 was removed
		{"123", "123", "13", true},    // 2 was removed after its call
		{"1423", "123", "1423", true}, // 4 was registered
		{"123", "123", "1423", true},  // 4 was registered after the firing
		{"44", "", "", false},
		{"3", "123", "3", true},
	} {
		if what := misses(list(c.calls), list(c.before), list(c.after)); (what == "") != c.good {
			t.Errorf("calls %s, certain %s and then %s: %q", c.calls, c.before, c.after, what)
		}
	}
}
