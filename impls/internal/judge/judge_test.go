package judge

import (
	"errors"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// If this fails, a machine that must run a test skips it; or TPBENCH_REQUIRE with a family's
// name requires a CPU of the make that one of its variants is for.
func TestRequired(t *testing.T) {
	lacks, other := &impls.UnsupportedError{What: "it"}, &impls.UnsupportedError{What: "it", CPU: true}
	for _, tc := range []struct {
		list string
		err  error
		want string
	}{
		{"", lacks, ""},
		{"rcu,textpoke", lacks, "textpoke"},
		{"rcu,aligned-store", lacks, "aligned-store"},
		{"rcu,textpoke", other, ""},
		{"textpoke,aligned-store", other, "aligned-store"},
		{"textpoke", errors.New("broken"), "textpoke"},
	} {
		if got := required(tc.list, tc.err, []string{"textpoke", "aligned-store"}); got != tc.want {
			t.Errorf("TPBENCH_REQUIRE=%s, %v: required by %q, want %q", tc.list, tc.err, got, tc.want)
		}
	}
}
