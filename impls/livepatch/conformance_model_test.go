package livepatch_test

import (
	"slices"

	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/livepatch"
)

const (
	functions = 3
	patches   = 4
)

// A version is one implementation of a function: 0 is the original, n is that of patch n-1.
type version int

// A code is one version of one function.
type code struct {
	function int
	version  version
}

// A model is what a Core does, in as few words as possible. A task is on a side: it calls the
// functions with the patch in transition (Patched) or without it (Unpatched). It flips when it
// goes to the other side.
type model struct {
	covers [patches][]int // the functions that each patch replaces; fixed

	stack      []int           // of enabled patches, and the one that is being disabled
	transition int             // the patch in transition, or -1
	target     livepatch.State // the side that tasks flip to

	tasks    []*mtask
	counters livepatch.Counters
}

// A mtask is a task of the model.
type mtask struct {
	state   livepatch.State // its side, or Idle without a transition
	blocked bool            // asleep
	frames  []code          // that it is in
}

func newModel(tasks int) *model {
	m := &model{covers: [patches][]int{{0, 1}, {0, 1}, {0, 1, 2}, {1}}, transition: -1}
	for range tasks {
		m.tasks = append(m.tasks, &mtask{state: livepatch.Idle})
	}
	return m
}

// enable enables patch p. funcs and ops are how many of their allocations succeed; negative is all.
func (m *model) enable(p, funcs, ops int) error {
	switch {
	case slices.Contains(m.stack, p) && !(m.transition == p && m.target == livepatch.Unpatched):
		return livepatch.ErrInvalid
	case m.transition == p:
		m.reverse(livepatch.Patched)
		return nil
	case m.transition >= 0:
		return livepatch.ErrBusy
	}
	switch {
	case funcs >= 0 && funcs < len(m.covers[p]):
		return slab.ErrNoMem
	case ops >= 0 && ops < m.alone(p): // it removes those that it has patched
		m.counters.Waits[0]++
		m.counters.FtraceWaits += uint64(ops)
		return slab.ErrNoMem
	}
	m.stack = append(m.stack, p)
	m.begin(p, livepatch.Patched)
	return nil
}

func (m *model) disable(p int) error {
	switch {
	case !slices.Contains(m.stack, p) || m.transition == p && m.target == livepatch.Unpatched:
		return livepatch.ErrInvalid
	case m.transition == p:
		m.reverse(livepatch.Unpatched)
		return nil
	case m.transition >= 0, m.stack[len(m.stack)-1] != p:
		return livepatch.ErrBusy
	}
	m.begin(p, livepatch.Unpatched)
	return nil
}

func (m *model) begin(p int, target livepatch.State) {
	m.transition, m.target = p, target
	for _, t := range m.tasks {
		t.state = 1 - target
	}
}

func (m *model) reverse(target livepatch.State) {
	m.target = target
	m.counters.Waits[2]++
}

// alone returns how many functions of patch p no other patch covers: each needs an ops.
func (m *model) alone(p int) (n int) {
	others := slices.DeleteFunc(slices.Clone(m.stack), func(other int) bool { return other == p })
	for _, f := range m.covers[p] {
		if !slices.ContainsFunc(others, func(other int) bool { return slices.Contains(m.covers[other], f) }) {
			n++
		}
	}
	return n
}

func (m *model) tryComplete() bool {
	if m.transition < 0 {
		return true
	}
	all := true
	for _, t := range m.tasks {
		if t.blocked && !m.leaves(t) {
			t.state = m.target
		}
		all = all && t.state == m.target
	}
	if !all {
		return false
	}
	if m.target == livepatch.Unpatched {
		m.counters.Waits[0]++
		m.counters.FtraceWaits += uint64(m.alone(m.transition))
		m.stack = m.stack[:len(m.stack)-1]
	} else {
		m.counters.Waits[1]++
	}
	m.transition = -1
	for _, t := range m.tasks {
		t.state = livepatch.Idle
	}
	return true
}

// leaves reports whether the task is in a code that it would not call on the other side.
func (m *model) leaves(t *mtask) bool {
	top := len(m.stack) - 1
	return slices.ContainsFunc(t.frames, func(c code) bool {
		if !slices.Contains(m.covers[m.transition], c.function) {
			return false
		}
		if m.target == livepatch.Unpatched {
			return c.version == version(m.transition+1)
		}
		return c.version == m.newest(c.function, top)
	})
}

func (m *model) update(t *mtask) {
	if m.transition >= 0 {
		t.state = m.target
	}
}

// calls returns the version of the function that the task would call now.
func (m *model) calls(t *mtask, f int) version {
	n := len(m.stack)
	if m.transition >= 0 && t.state == livepatch.Unpatched {
		n--
	}
	return m.newest(f, n)
}

// newest returns the newest version of the function among the n oldest patches.
func (m *model) newest(f, n int) version {
	for i := n - 1; i >= 0; i-- {
		if slices.Contains(m.covers[m.stack[i]], f) {
			return version(m.stack[i] + 1)
		}
	}
	return 0
}

// inUse returns how many funcs and ops are in use.
func (m *model) inUse() int {
	n := 0
	for _, p := range m.stack {
		n += len(m.covers[p])
	}
	for f := range functions {
		if m.newest(f, len(m.stack)) > 0 {
			n++
		}
	}
	return n
}
