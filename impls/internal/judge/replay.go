//go:build steps

package judge

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// A Replay is one drawn interleaving: a script for package step, and what is found after it.
type Replay struct {
	Name   string
	Script string
	Want   string // what is found with sound variants

	// Breaks is what is found with the busted variants that the script breaks, by name. A
	// variant with "" is not broken: Want is found.
	Breaks map[string]string

	// Documented is what is found with sound variants that do not promise Want, by name.
	Documented map[string]string
}

// Replays performs each script many times with each variant, and fewer times with a slow one.
// The same must be found each time. play performs a script once and returns what is found and
// a trace. A busted variant that no script names is left out: nothing is known of it.
func Replays[T any](t *testing.T, family string, variants []impls.Variant[T], times int, replays []Replay,
	play func(t *testing.T, r Replay, v impls.Variant[T]) (found string, trace []string)) {
	named := func(v impls.Variant[T]) bool {
		return slices.ContainsFunc(replays, func(r Replay) bool { _, ok := r.Breaks[v.Name]; return ok })
	}
	for _, r := range replays {
		t.Run(r.Name, func(t *testing.T) {
			for name := range r.Breaks {
				if v, err := impls.Find(family, variants, name); err != nil || v.Status == impls.Sound {
					t.Errorf("the script breaks %s, and no busted variant has that name", name)
				}
			}
			for _, v := range variants {
				if v.Status == impls.Busted && !named(v) {
					continue
				}
				t.Run(v.Name, func(t *testing.T) {
					Need(t, v.Supported(), family, v.Name)
					want, n := cmp.Or(r.Breaks[v.Name], r.Documented[v.Name], r.Want), times
					if v.Slow {
						n = max(1, times/25)
					}
					for i := range n {
						if found, trace := play(t, r, v); found != want {
							t.Fatalf("time %d: found %q, want %q\n%s\n%s", i, found, want, r.Script, strings.Join(trace, "\n"))
						}
					}
				})
			}
		})
	}
}
