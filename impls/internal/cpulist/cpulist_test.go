package cpulist

import (
	"slices"
	"testing"
)

// If this fails, a CPU is missing: what is counted on each lacks its share.
func TestParse(t *testing.T) {
	for text, want := range map[string][]int{
		"0\n": {0}, "0-3\n": {0, 1, 2, 3}, "0-1,4,6-7\n": {0, 1, 4, 6, 7},
		"": nil, "x": nil, "0-": nil, "-1": nil, "0,": nil,
	} {
		if cpus, err := Parse(text); (err != nil) != (want == nil) || err == nil && !slices.Equal(cpus, want) {
			t.Errorf("%q: %v, %v, expected %v", text, cpus, err, want)
		}
	}
}
