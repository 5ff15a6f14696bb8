package dispatch

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/tpbench/tpbench/impls/rcu"
)

// seen is what selfProbe was called with.
type seen struct{ calls, a, b uint64 }

// selfProbe does what Go functions do: it uses its stack and its arguments.
func selfProbe(data unsafe.Pointer, a, b uint64) {
	s := (*seen)(data)
	s.calls++
	s.a, s.b = a, b
}

// selfTest calls a Go function through a patched site and checks its arguments,
// because a site relies on Go's internal ABI, which nobody has promised to keep. It
// does so for a NOP, for a direct call and through the iterator.
func selfTest(s *Site) error {
	var got seen
	fn, err := GoFunc(selfProbe)
	if err != nil {
		return err
	}
	domain := rcu.Variants()[0].New(rcu.Options{})
	defer domain.Close()
	reader := domain.Register()
	defer reader.Unregister()
	s.Publish([]Entry{{Fn: uintptr(fn), Data: unsafe.Pointer(&got)}, {}})
	defer s.Publish(nil)
	defer s.StaticCall(machine.pcs.traceiter)
	const event = TextSites - 1
	for _, step := range []struct {
		what  string
		do    func() error
		calls uint64
	}{
		{"a NOP", s.KeyDisable, 0},
		{"a direct call", func() error { return errors.Join(s.StaticCall(uintptr(fn)), s.KeyEnable()) }, 1},
		{"the iterator", func() error { return s.StaticCall(machine.pcs.traceiter) }, 2},
		{"the retpoline iterator", func() error { return s.StaticCall(machine.pcs.retpoline) }, 3},
		{"a NOP again", s.KeyDisable, 3},
	} {
		if err := step.do(); err != nil {
			return err
		}
		s.Fire(reader)
		want := seen{calls: step.calls}
		if step.calls > 0 {
			want.a, want.b = event, 1
		}
		if got != want {
			return fmt.Errorf("dispatch: self-test: a Go probe behind %s saw %+v, expected %+v: this Go release passes arguments in other registers; use the one in go.mod", step.what, got, want)
		}
	}
	return nil
}
