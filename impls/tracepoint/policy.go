package tracepoint

import (
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Policy is a strategy: how its sites dispatch, and what each transition does,
// step by step.
type Policy struct {
	Dispatch dispatch.Dispatch

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

// steps returns what a change from one number of probes to another takes. The
// numbers differ.
func (p *Policy) steps(from, to int) []Step {
	switch {
	case to == 0:
		return p.OneToZero
	case from == 0:
		return p.ZeroToOne
	case to == 1:
		return p.TwoToOne
	case from == 1:
		return p.OneToTwo
	case to > from:
		return p.NToNPlusOne
	}
	return p.NToNMinusOne
}

// A Step is one action of a transition. Steps are the words that policies are
// written in.
type Step struct {
	Name string
	do   func(*change) error
}

// change is one transition under way.
type change struct {
	registry *Registry
	tp       *Tracepoint
	old, new []dispatch.Entry
}

// The steps that readers can see.
var (
	// keyEnable lets sites into their bodies.
	keyEnable = Step{"key enable", func(c *change) error { return c.tp.site.KeyEnable() }}

	// keyDisable: when it returns no reader begins a body; some may be in one.
	keyDisable = Step{"key disable", func(c *change) error { return c.tp.site.KeyDisable() }}

	// publish stores tp->funcs. Readers that loaded it before go on with the old
	// array until they leave their section.
	publish = Step{"publish", func(c *change) error { c.tp.site.Publish(c.new); return nil }}

	// callFirst makes the static call go to the only probe. When it returns, no
	// reader begins the old call; one that has loaded data may begin the new.
	callFirst = Step{"static call = first", func(c *change) error {
		return c.tp.site.StaticCall(c.registry.policy.Dispatch.Target(c.new))
	}}

	// callIterator makes the static call go to the iterator, which is right
	// whatever the array and whatever data a reader holds.
	callIterator = Step{"static call = iterator", func(c *change) error {
		return c.tp.site.StaticCall(c.registry.policy.Dispatch.Iterator())
	}}
)

// The steps that only the updater feels.
var synchronize = Step{"synchronize", func(c *change) error { c.registry.rcu.Synchronize(); return nil }}

// A snapshotID names one of the kernel's two global snapshots. They are global, not
// per tracepoint: a later one overwrites an earlier one, which is safe because it
// is satisfied later.
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
	return Step{"get_state(" + id.String() + ")", func(c *change) error {
		c.registry.snapshots[id] = snapshot{c.registry.rcu.GetState(), true}
		return nil
	}}
}

// getStateIfMoved remembers this moment if a reader could hold data that is not the
// new first entry's. Data, not functions: one function may be registered twice.
func getStateIfMoved(id snapshotID) Step {
	get := getState(id)
	return Step{get.Name + " if [0].data changed", func(c *change) error {
		if firstData(c.old) == firstData(c.new) {
			return nil
		}
		return get.do(c)
	}}
}

// condSync waits, if a moment was remembered and no grace period has passed since.
func condSync(id snapshotID) Step {
	return Step{"cond_sync(" + id.String() + ")", func(c *change) error {
		s := &c.registry.snapshots[id]
		if s.ongoing {
			c.registry.rcu.CondSync(s.state)
			s.ongoing = false
		}
		return nil
	}}
}
