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
func TestStaticKey(t *testing.T) {
	for held, want := range map[bool][]string{
		false: {"open", "close", "opened", "open", "close", "open", "close", "closed"},
		true:  {"open", "opened", "open", "close", "open", "close", "close", "closed"},
	} {
		var log []string
		s := fake(t)
		s.openSwitches = func() (perfEvent, error) {
			log = append(log, "open")
			return fakeSwitches{&log}, nil
		}
		k, err := s.openStaticKey(held)
		must(t, err)
		log = append(log, "opened")
		must(t, errors.Join(k.Switch(), k.Switch(), k.Close(), k.Close()))
		if log = append(log, "closed"); !slices.Equal(log, want) {
			t.Errorf("held %v: %q, want %q", held, log, want)
		}
	}
	s := fake(t)
	s.openSwitches = func() (perfEvent, error) { return nil, errors.New("no such event") }
	if k, err := s.openStaticKey(true); k != nil || !errors.Is(err, impls.ErrUnsupported) {
		t.Errorf("a kernel without such events: %v, %v", k, err)
	}
}

// If this fails, the real kernel has no such key, or what is measured fails in the middle of a run.
func TestStaticKeyReal(t *testing.T) {
	requireKernel(t)
	for _, held := range []bool{false, true} {
		k, err := OpenStaticKey(held)
		if errors.Is(err, impls.ErrUnsupported) {
			t.Skip(err)
		}
		must(t, err)
		must(t, errors.Join(k.Switch(), k.Switch(), k.Close()))
	}
}
