package tracepointtest

import (
	"slices"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/dispatch/probestest"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// A model is what a tracepoint does, said as plainly as possible: its probes in the
// order in which they are called.
type model []dispatch.Probe

func (m *model) register(p dispatch.Probe) error {
	switch {
	case p.Fn == 0:
		return tracepoint.ErrInvalid
	case m.find(p) >= 0:
		return tracepoint.ErrExist
	}
	*m = append(*m, p)
	slices.SortStableFunc(*m, func(a, b dispatch.Probe) int { return b.Prio - a.Prio })
	return nil
}

func (m *model) unregister(p dispatch.Probe) error {
	at := m.find(p)
	switch {
	case len(*m) > 0 && p.Fn == 0:
		*m = nil
	case at < 0:
		return tracepoint.ErrNotFound
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
