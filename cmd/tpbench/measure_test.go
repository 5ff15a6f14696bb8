package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/results/compare"
)

// If this fails, a run with a budget stops before every benchmark has a verdict, or goes on when
// all have one.
func TestDecided(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.txt")
	s := &session{by: compare.ArmKey, base: compare.ArmA}
	for _, c := range []struct {
		what, text string
		want       bool
	}{
		{"a slower one and an equal one", trialFile(1, 1.1, 1), true},
		{"few rounds", strings.SplitAfter(trialFile(1, 1.1, 1), "# block 4 ")[0], false},
	} {
		must(t, os.WriteFile(path, []byte(c.text), 0o666))
		got, err := s.decided(path)
		if err != nil || got != c.want {
			t.Errorf("%s: decided %v, %v; want %v", c.what, got, err, c.want)
		}
	}
	if _, err := s.decided(path + "x"); err == nil {
		t.Error("a look at no file")
	}
}
