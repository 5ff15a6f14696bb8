package impls

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var family = []Variant[int]{
	{Name: "naive", Doc: "waits always", New: 1},
	{Name: "cond-sync", Doc: "waits if need be", New: 2},
	{Name: "busted", Doc: "never waits", Status: Busted, New: 3, Check: func() error {
		return &UnsupportedError{What: "busted", Why: "it is a test", Do: "do not"}
	}},
	{Name: "batch", New: 4},
}

// If this fails, Find returns another variant than the one with that name, and a measurement
// has the wrong name.
func TestFind(t *testing.T) {
	for _, want := range family {
		got, err := Find("strategy", family, want.Name)
		if err != nil || got.Name != want.Name || got.New != want.New {
			t.Errorf("%s: %+v, %v", want.Name, got, err)
		}
	}
}

// If this fails, a busted variant is measured as if it worked, or a sound one is not tested.
func TestOnlySound(t *testing.T) {
	before := len(family)
	var names []string
	for _, v := range OnlySound(family) {
		names = append(names, v.Name)
	}
	if want := []string{"naive", "cond-sync", "batch"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if len(family) != before || family[2].Name != "busted" {
		t.Errorf("the argument has become %+v", family)
	}
}

// If this fails, the error does not say which names are near, and the user must look them up.
func TestFindUnknown(t *testing.T) {
	got, err := Find("strategy", family, "condsync")
	var unknown *UnknownError
	if !errors.As(err, &unknown) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.Name != "" || got.New != 0 {
		t.Errorf("with the error came %+v", got)
	}
	if unknown.Kind != "strategy" || unknown.Name != "condsync" || len(unknown.Nearest) != 3 || unknown.Nearest[0] != "cond-sync" {
		t.Errorf("%+v", unknown)
	}
	if want := `no strategy is called "condsync"; nearest: cond-sync, `; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%q does not begin with %q", err, want)
	}
	if _, err := Find("strategy", []Variant[int]{}, "x"); !errors.As(err, &unknown) || len(unknown.Nearest) != 0 {
		t.Errorf("in an empty family: %v", err)
	}
}

// If this fails, Nearest changes its argument, or prefers a name that needs more edits.
func TestNearest(t *testing.T) {
	names := []string{"int3", "int3-batch", "memb", "kernelgp", "paced"}
	for _, row := range []struct {
		name string
		want []string
	}{
		{"int3", []string{"int3", "memb", "paced"}},
		{"int3batch", []string{"int3-batch", "int3", "memb"}},
		{"kernel", []string{"kernelgp", "int3", "memb"}}, // the rest are all 5 away
		{"", []string{"int3", "memb", "paced"}},          // ties keep the order
	} {
		before := slices.Clone(names)
		if got := Nearest(row.name, names); !slices.Equal(got, row.want) {
			t.Errorf("%q: %v, want %v", row.name, got, row.want)
		}
		if !slices.Equal(names, before) {
			t.Fatalf("%q: Nearest sorted its argument: %v", row.name, names)
		}
	}
	if got := Nearest("x", []string{"a"}); len(got) != 1 {
		t.Errorf("of one name: %v", got)
	}
}

// If this fails, edits is not the number of edits, or depends on the order of the two names.
func TestEdits(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"memb", "memb", 0},
		{"", "memb", 4},
		{"memb", "mem", 1},
		{"memb", "member", 2},
		{"kitten", "sitting", 3},
		{"ab", "ba", 2},
		{"abc", "xyz", 3},
	} {
		for _, pair := range [][2]string{{row.a, row.b}, {row.b, row.a}} {
			if got := edits(pair[0], pair[1]); got != row.want {
				t.Errorf("from %q to %q: %d edits, want %d", pair[0], pair[1], got, row.want)
			}
		}
	}
}

// If this fails, tests and benchmarks fail where they should skip: errors.Is does not find an
// UnsupportedError that is wrapped.
func TestUnsupported(t *testing.T) {
	err := fmt.Errorf("opening: %w", family[2].Supported())
	if !errors.Is(err, ErrUnsupported) {
		t.Errorf("%v is not ErrUnsupported", err)
	}
	var unsupported *UnsupportedError
	if !errors.As(err, &unsupported) || unsupported.What != "busted" {
		t.Errorf("%v carries %+v", err, unsupported)
	}
	if want := "opening: busted cannot run here: it is a test; do not"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if err := family[0].Supported(); err != nil {
		t.Errorf("a variant without a Check: %v", err)
	}
	if errors.Is(&UnknownError{}, ErrUnsupported) {
		t.Error("an unknown name passes for an unsupported one")
	}
}

// If this fails, a list calls a sound variant busted, or the reverse.
func TestStatusString(t *testing.T) {
	if Sound.String() != "sound" || Busted.String() != "busted" {
		t.Errorf("%v, %v", Sound, Busted)
	}
}
