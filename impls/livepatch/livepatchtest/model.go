package livepatchtest

import (
	"slices"

	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/livepatch"
)

const (
	functions = 3
	patches   = 4
)

// A version is who replaces a function: 0 is the original, n is patch n-1.
type version int

// A code is one version of one function.
type code struct {
	function int
	version  version
}

// A model is what a Core does, said as plainly as possible.
type model struct {
	covers [patches][]int // the functions that each patch replaces; fixed

	stack      []int // of enabled patches, and the one that is being disabled
	transition int   // the patch in transition, or -1
	target     livepatch.State

	tasks []*mtask
}

// A mtask is a task of the model.
type mtask struct {
	state   livepatch.State
	blocked bool
	frames  []code
}

func newModel(tasks int) *model {
	m := &model{covers: [patches][]int{{0, 1}, {0, 1}, {0, 1, 2}, {1}}, transition: -1}
	for range tasks {
		m.tasks = append(m.tasks, &mtask{state: livepatch.Idle})
	}
	return m
}

// enable is told how many allocations of funcs and ops succeed; negative is all.
func (m *model) enable(p, funcs, ops int) error {
	switch {
	case slices.Contains(m.stack, p) && !(m.transition == p && m.target == livepatch.Unpatched):
		return livepatch.ErrInvalid
	case m.transition == p:
		m.target = livepatch.Patched
		return nil
	case m.transition >= 0:
		return livepatch.ErrBusy
	}
	bare := 0
	for _, f := range m.covers[p] {
		if m.below(f, len(m.stack)) == 0 {
			bare++
		}
	}
	if funcs >= 0 && funcs < len(m.covers[p]) || ops >= 0 && ops < bare {
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
		m.target = livepatch.Unpatched
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
		m.stack = m.stack[:len(m.stack)-1]
	}
	m.transition = -1
	for _, t := range m.tasks {
		t.state = livepatch.Idle
	}
	return true
}

// leaves reports whether the task is in a function that it would not be in on the other
// side.
func (m *model) leaves(t *mtask) bool {
	top := len(m.stack) - 1
	return slices.ContainsFunc(t.frames, func(c code) bool {
		if !slices.Contains(m.covers[m.transition], c.function) {
			return false
		}
		if m.target == livepatch.Unpatched {
			return c.version == version(m.transition+1)
		}
		return c.version == m.below(c.function, top)
	})
}

func (m *model) update(t *mtask) {
	if m.transition >= 0 {
		t.state = m.target
	}
}

// calls is the version of the function that the task would call now.
func (m *model) calls(t *mtask, f int) version {
	n := len(m.stack)
	if m.transition >= 0 && t.state == livepatch.Unpatched {
		n--
	}
	return m.below(f, n)
}

// below is the newest version of the function among the n oldest patches.
func (m *model) below(f, n int) version {
	for i := n - 1; i >= 0; i-- {
		if slices.Contains(m.covers[m.stack[i]], f) {
			return version(m.stack[i] + 1)
		}
	}
	return 0
}

// inUse is how many funcs and ops there are.
func (m *model) inUse() int {
	n := 0
	for _, p := range m.stack {
		n += len(m.covers[p])
	}
	for f := range functions {
		if m.below(f, len(m.stack)) > 0 {
			n++
		}
	}
	return n
}
