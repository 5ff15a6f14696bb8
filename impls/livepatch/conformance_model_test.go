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

	tasks []*mtask
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
		m.target = livepatch.Patched
		return nil
	case m.transition >= 0:
		return livepatch.ErrBusy
	}
	unpatched := 0 // functions, which need an ops
	for _, f := range m.covers[p] {
		if m.newest(f, len(m.stack)) == 0 {
			unpatched++
		}
	}
	if funcs >= 0 && funcs < len(m.covers[p]) || ops >= 0 && ops < unpatched {
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
