// Package judge is what the tests of all families share: the runner of a family's cases, when
// to skip a test, and where random numbers come from.
package judge

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// Check ends the test if err is not nil.
func Check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Need does nothing if err is nil. It skips the test if err says that this machine cannot run it
// (impls.ErrUnsupported), and fails it for any other error. It also fails the test if the
// environment variable TPBENCH_REQUIRE, a list with commas, has one of names: the
// family's and, last, the variant's. A variant for CPUs of another make is required only by
// its own name.
func Need(tb testing.TB, err error, names ...string) {
	tb.Helper()
	if err == nil {
		return
	}
	if name := required(os.Getenv("TPBENCH_REQUIRE"), err, names); name != "" {
		tb.Fatalf("TPBENCH_REQUIRE names %s: %v", name, err)
	}
	if !errors.Is(err, impls.ErrUnsupported) {
		tb.Fatal(err)
	}
	tb.Skip(err)
}

// required returns the name in list that requires what err says is missing, or "".
func required(list string, err error, names []string) string {
	var unsupported *impls.UnsupportedError
	if errors.As(err, &unsupported) && unsupported.CPU {
		names = names[len(names)-1:]
	}
	for name := range strings.SplitSeq(list, ",") {
		if slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// Rand returns a source of random numbers. It logs the seed, which TPBENCH_SEED sets.
func Rand(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("TPBENCH_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			tb.Fatalf("TPBENCH_SEED=%s: expected a number: %v", s, err)
		}
	}
	tb.Logf("TPBENCH_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// Deep calls itself n times, with 256 bytes of stack each time, and returns v+n: or another
// number, if the stack's contents changed when it grew.
//
//go:noinline
func Deep(n int, v uint64) uint64 {
	var room [256]byte
	room[n%len(room)] = byte(n)
	if n == 0 {
		return v
	}
	return Deep(n-1, v) + uint64(room[n%len(room)]-byte(n)) + 1
}
