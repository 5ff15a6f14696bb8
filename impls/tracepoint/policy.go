package tracepoint

import (
	"slices"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Policy is a strategy: how its sites dispatch, and what each transition does,
// step by step.
type Policy struct {
	Dispatch dispatch.Dispatch

	// Together says that a bulk change takes its tracepoints through the lists side by
	// side, each step for all of them: see [Registry.Bulk]. Else one after the other.
	Together bool

	ZeroToOne    []Step // 0->1
	OneToTwo     []Step // 1->2
	NToNPlusOne  []Step // N->N+1, N >= 2
	NToNMinusOne []Step // N->N-1, N-1 >= 2
	TwoToOne     []Step // any->1 by removal
	OneToZero    []Step // any->0
}

// but returns a policy that differs as it is told to.
func (p Policy) but(differ func(*Policy)) Policy {
	differ(&p)
	return p
}

// lists returns the policy's lists, in order.
func (p *Policy) lists() [6]*[]Step {
	return [...]*[]Step{&p.ZeroToOne, &p.OneToTwo, &p.NToNPlusOne, &p.NToNMinusOne, &p.TwoToOne, &p.OneToZero}
}

// WaitsInOneToZero reports whether the steps of 1->0 may wait for a grace period.
func (p *Policy) WaitsInOneToZero() bool {
	return slices.ContainsFunc(p.OneToZero, func(s Step) bool { return s.waits })
}

// listOf returns the index of the list for a change from one number of probes to another.
// The numbers differ.
func listOf(from, to int) int {
	switch {
	case to == 0:
		return 5
	case from == 0:
		return 0
	case to == 1:
		return 4
	case from == 1:
		return 1
	case to > from:
		return 2
	}
	return 3
}

// A Step is one action of a transition. Steps are the words that policies are
// written in.
type Step struct {
	Name string

	// do performs it for some tracepoints that are in the same transition; for one,
	// unless the policy takes them together.
	do func([]*change) error

	waits bool // it may wait for a grace period

	// follows says that it makes the static call of its tracepoints go where their dispatch
	// has it with the probes that there will be.
	follows bool
}

// each makes a Step's do of what is to be done for every single tracepoint.
func each(do func(*change) error) func([]*change) error {
	return func(changes []*change) error {
		for _, c := range changes {
			if err := do(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// change is one transition under way.
type change struct {
	registry *Registry
	tp       *Tracepoint
	old, new []dispatch.Entry

	// target is where the static call is to go with new: see callFirst. was is what it was
	// with old.
	was, target dispatch.Target
}

// The steps that readers can see.
var (
	// keyEnable lets sites into their bodies.
	keyEnable = Step{Name: "key enable", do: each(func(c *change) error { return c.tp.site.KeyEnable() })}

	// keyDisable: when it returns no reader begins a body; some may be in one.
	keyDisable = Step{Name: "key disable", do: each(func(c *change) error { return c.tp.site.KeyDisable() })}

	// publish stores tp->funcs. Readers that loaded it before go on with the old
	// array until they leave their section.
	publish = Step{Name: "publish", do: each(func(c *change) error { c.tp.site.Publish(c.new); return nil })}

	// callFirst makes the static call go to the only probe. When it returns, no
	// reader begins the old call; one that has loaded data may begin the new.
	callFirst = Step{
		Name: "static call = first", follows: true,
		do: each(func(c *change) error { return c.tp.site.StaticCall(c.target.PC) }),
	}

	// callIterator makes the static call go to the iterator, which is right
	// whatever the array and whatever data a reader holds.
	callIterator = Step{Name: "static call = iterator", do: each(func(c *change) error {
		return c.tp.site.StaticCall(c.registry.policy.Dispatch.Iterator())
	})}
)

// The steps that only the updater feels.
var synchronize = Step{
	Name: "synchronize", waits: true,
	do: each(func(c *change) error { c.registry.rcu.Synchronize(); return nil }),
}

// A snapshotID names one of the kernel's two global snapshots. They are global, not
// per tracepoint: a later one overwrites an earlier one, which is safe because it
// is satisfied later. To keep the earlier one is not: tp-V10.
type snapshotID int

const (
	s101 snapshotID = iota // TP_TRANSITION_SYNC_1_0_1: a last probe was removed
	sN21                   // TP_TRANSITION_SYNC_N_2_1: a first entry's data changed
)

func (id snapshotID) String() string { return [...]string{"1_0_1", "N_2_1"}[id] }

// snapshot is the kernel's struct tp_transition_snapshot.
type snapshot struct {
	state   rcu.State
	ongoing bool // somebody may still have to wait for state
}

// getState remembers this moment.
func getState(id snapshotID) Step {
	return Step{Name: "get_state(" + id.String() + ")", do: each(func(c *change) error {
		c.registry.snapshots[id] = snapshot{c.registry.rcu.GetState(), true}
		return nil
	})}
}

// ifMoved restricts a Step to where a reader could hold data that is not the new first
// entry's. Data, not functions: one function may be registered twice.
func ifMoved(s Step) Step {
	return Step{Name: s.Name + " if [0].data changed", do: each(func(c *change) error {
		if firstData(c.old) == firstData(c.new) {
			return nil
		}
		return s.do([]*change{c})
	})}
}

func getStateIfMoved(id snapshotID) Step { return ifMoved(getState(id)) }

// condSync waits, if a moment was remembered and no grace period has passed since.
func condSync(id snapshotID) Step {
	return Step{Name: "cond_sync(" + id.String() + ")", waits: true, do: each(func(c *change) error {
		s := &c.registry.snapshots[id]
		if s.ongoing {
			c.registry.rcu.CondSync(s.state)
			s.ongoing = false
		}
		return nil
	})}
}
