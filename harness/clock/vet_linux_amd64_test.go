//go:build !purego

package clock

import (
	"errors"
	"strings"
	"testing"
)

// If this fails, a counter that changes its rate is used as a clock, or the error does not say
// what is missing.
func TestVet(t *testing.T) {
	const others = ^uint32(1 << 8)
	for _, tt := range []struct {
		leaf   bool
		power  uint32
		rdtscp bool
		want   string // "": usable
	}{
		{true, 1 << 8, true, ""},
		{true, ^uint32(0), true, ""},
		{false, ^uint32(0), true, "not invariant"},
		{true, others, true, "not invariant"},
		{true, 0, true, "not invariant"},
		{true, 1 << 8, false, "no RDTSCP"},
	} {
		err := vet(tt.leaf, tt.power, tt.rdtscp)
		if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}
