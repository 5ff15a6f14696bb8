package tracepoint

import (
	"slices"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Policy is a strategy: where its sites call, and the steps of each transition, in
// order.
type Policy struct {
	Dispatch dispatch.Dispatch

	// Together says that a bulk change does each step for all its tracepoints before the
	// next step: see [Registry.Bulk]. Without it a bulk change does one tracepoint after
	// the other.
	Together bool

	ZeroToOne    []Step // 0->1
	OneToTwo     []Step // 1->2
	NToNPlusOne  []Step // N->N+1, N >= 2
	NToNMinusOne []Step // N->N-1, N-1 >= 2
	TwoToOne     []Step // any->1 by removal
	OneToZero    []Step // any->0
}

// but returns a copy of the policy that differ has changed.
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

// A Step is one action of a transition.
type Step struct {
	Name string

	// do performs the step for some tracepoints that are in the same transition: for one,
	// unless the policy takes them together.
	do func([]*change) error

	waits bool // the step may wait for a grace period

	// follows says that the step makes the static call go where the policy's Dispatch says
	// for the new array.
	follows bool
}

// each returns a Step's do that calls do for each change.
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

	// was is where the static call goes with old, target where it is to go with new: see
	// callFirst.
	was, target dispatch.Target
}

// The steps that readers can see.
var (
	// keyEnable makes readers enter the body of the site.
	keyEnable = Step{Name: "key enable", do: each(func(c *change) error { return c.tp.site.KeyEnable() })}

	// keyDisable: when it returns, no reader enters the body. Some may still be in it.
	keyDisable = Step{Name: "key disable", do: each(func(c *change) error { return c.tp.site.KeyDisable() })}

	// publish stores tp->funcs. A reader that loaded it before keeps the old array until it
	// leaves its read section.
	publish = Step{Name: "publish", do: each(func(c *change) error { c.tp.site.Publish(c.new); return nil })}

	// callFirst makes the static call go to the only probe. When it returns, no reader
	// begins the old call. A reader that loaded its data before may begin the new call.
	callFirst = Step{
		Name: "static call = first", follows: true,
		do: each(func(c *change) error { return c.tp.site.StaticCall(c.target.PC) }),
	}

	// callIterator makes the static call go to the iterator, which is right for any array
	// and for any data that a reader has loaded.
	callIterator = Step{Name: "static call = iterator", do: each(func(c *change) error {
		return c.tp.site.StaticCall(c.registry.policy.Dispatch.Iterator())
	})}
)

// synchronize waits for a grace period. Readers do not see it.
var synchronize = Step{
	Name: "synchronize", waits: true,
	do: each(func(c *change) error { c.registry.rcu.Synchronize(); return nil }),
}

// A snapshotID names one of the kernel's two snapshots, which all tracepoints share. A later
// snapshot overwrites an earlier one. That is safe, because the later moment passes later.
// To keep the earlier one is wrong: a reader may have begun in between (tp-V10).
type snapshotID int

const (
	s101 snapshotID = iota // TP_TRANSITION_SYNC_1_0_1: a last probe was removed
	sN21                   // TP_TRANSITION_SYNC_N_2_1: a first entry's data changed
)

func (id snapshotID) String() string { return [...]string{"1_0_1", "N_2_1"}[id] }

// snapshot is the kernel's struct tp_transition_snapshot.
type snapshot struct {
	state   rcu.State
	ongoing bool // a transition may still have to wait for state
}

// getState remembers the present moment.
func getState(id snapshotID) Step {
	return Step{Name: "get_state(" + id.String() + ")", do: each(func(c *change) error {
		c.registry.snapshots[id] = snapshot{c.registry.rcu.GetState(), true}
		return nil
	})}
}

// ifMoved restricts a Step to transitions after which a reader can hold data other than the
// new first entry's. It compares data and not functions, since one function may be registered
// twice.
func ifMoved(s Step) Step {
	return Step{Name: s.Name + " if [0].data changed", do: each(func(c *change) error {
		if firstData(c.old) == firstData(c.new) {
			return nil
		}
		return s.do([]*change{c})
	})}
}

func getStateIfMoved(id snapshotID) Step { return ifMoved(getState(id)) }

// condSync waits if a moment was remembered and has not passed.
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
