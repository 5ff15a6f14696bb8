package unregistertest

import (
	"slices"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/dispatch/probestest"
	"github.com/tpbench/tpbench/impls/unregister"
)

// A model is what a Point does, said as plainly as possible: its probes in the order in
// which they are called.
type model []dispatch.Probe

// register says what comes of a registration, with or without memory.
func (m *model) register(p dispatch.Probe, memory bool) error {
	switch {
	case p.Fn == 0, p.Fn == dispatch.Stub(), p.Fn == dispatch.Sentinel:
		return unregister.ErrInvalid
	case m.find(p) >= 0:
		return unregister.ErrExist
	case !memory:
		return unregister.ErrNoMem
	}
	*m = append(*m, p)
	slices.SortStableFunc(*m, func(a, b dispatch.Probe) int { return b.Prio - a.Prio })
	return nil
}

// unregister says what comes of a removal. Memory does not matter: M4.
func (m *model) unregister(p dispatch.Probe) error {
	at := m.find(p)
	switch {
	case len(*m) > 0 && p.Fn == 0:
		*m = nil
	case at < 0:
		return unregister.ErrNotFound
	default:
		*m = slices.Delete(*m, at, at+1)
	}
	return nil
}

func (m *model) find(p dispatch.Probe) int {
	return slices.IndexFunc(*m, func(q dispatch.Probe) bool { return q.Fn == p.Fn && q.Data == p.Data })
}

// calls is what firing calls.
func (m model) calls(fns []dispatch.Func) []probestest.Firing {
	return probestest.CallsOf(fns, m)
}
