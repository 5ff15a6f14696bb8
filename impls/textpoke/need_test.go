package textpoke

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// need skips the test if err says that the machine cannot run it, and fails it if
// TPBENCH_REQUIRE (comma separated) names the package or a variant of it.
func need(tb testing.TB, err error) {
	tb.Helper()
	if err == nil {
		return
	}
	names := []string{"textpoke"}
	for _, v := range impls.OnlySound(Variants()) {
		names = append(names, v.Name)
	}
	for required := range strings.SplitSeq(os.Getenv("TPBENCH_REQUIRE"), ",") {
		if slices.Contains(names, required) {
			tb.Fatalf("TPBENCH_REQUIRE names %s: %v", required, err)
		}
	}
	if !errors.Is(err, impls.ErrUnsupported) {
		tb.Fatal(err)
	}
	tb.Skip(err)
}

// Need is need for the tests outside the package.
var Need = need

// If a machine that has to patch text cannot, every other test would skip in silence;
// this one is there on every platform.
func TestSupported(t *testing.T) {
	for _, v := range impls.OnlySound(Variants()) {
		t.Run(v.Name, func(t *testing.T) { need(t, v.Supported()) })
	}
}
