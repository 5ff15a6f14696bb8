package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// An instance switches its own events, leaves the others as they were, and is gone
// after Close.
func TestInstance(t *testing.T) {
	if err := Check(); err != nil {
		if !errors.Is(err, impls.ErrUnsupported) {
			t.Fatalf("Check: %v, expected impls.ErrUnsupported", err)
		}
		if strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "kernel") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	before := read(t, tracefs)
	i, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{true, false} {
		if err := i.Switch(on); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "1", false: "0"}[on]
		if got := read(t, i.dir); got != want {
			t.Errorf("Switch(%v): events/enable reads %q, expected %q", on, got, want)
		}
		if got := read(t, tracefs); got != before {
			t.Errorf("Switch(%v) changed the events of others from %q to %q", on, before, got)
		}
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(i.dir); !os.IsNotExist(err) {
		t.Errorf("the instance is still there: %v", err)
	}
	if Events() == 0 {
		t.Error("the kernel has no events")
	}
}

// read is the state of all events: "0", "1", or "X" where they differ.
func read(t *testing.T, dir string) string {
	t.Helper()
	state, err := os.ReadFile(filepath.Join(dir, "events", "enable"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(state))
}
