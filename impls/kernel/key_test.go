package kernel

import (
	"errors"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// A fakeSwitches is a perf event that counts context switches, of which there are so many.
type fakeSwitches struct{ log *[]string }

func (fakeSwitches) count() (uint64, error) { return 0, nil }

func (e fakeSwitches) close() error {
	*e.log = append(*e.log, "close")
	return nil
}

// If this fails, an operation patches nothing, or patches although it is held; or the key stays on.
func TestKey(t *testing.T) {
	var log []string
	open := func() (perfEvent, error) {
		log = append(log, "open")
		return fakeSwitches{&log}, nil
	}
	must(t, errors.Join(switchKey(open), switchKey(open)))
	if want := []string{"open", "close", "open", "close"}; !slices.Equal(log, want) {
		t.Errorf("switched: %q, want %q", log, want)
	}
	log = nil
	release, err := holdKey(open)
	must(t, err)
	log = append(log, "held")
	must(t, errors.Join(switchKey(open), switchKey(open), release(), release()))
	if want := []string{"open", "held", "open", "close", "open", "close", "close"}; !slices.Equal(log, want) {
		t.Errorf("held: %q, want %q", log, want)
	}
	open = func() (perfEvent, error) { return nil, errors.New("no such event") }
	if release, err := holdKey(open); release != nil || !errors.Is(err, impls.ErrUnsupported) {
		t.Errorf("a kernel without such events is held: %v", err)
	}
	if err := switchKey(open); !errors.Is(err, impls.ErrUnsupported) {
		t.Errorf("a kernel without such events is switched: %v", err)
	}
}

// If this fails, the real kernel has no such key, or what is measured fails in the middle of a run.
func TestKeyReal(t *testing.T) {
	requireKernel(t)
	err := SwitchKey()
	if errors.Is(err, impls.ErrUnsupported) {
		t.Skip(err)
	}
	must(t, errors.Join(err, SwitchKey()))
	release, err := HoldKey()
	must(t, err)
	must(t, errors.Join(SwitchKey(), SwitchKey(), release()))
}
