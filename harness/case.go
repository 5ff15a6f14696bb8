package harness

import "time"

// A Case is one thing to measure.
type Case struct {
	// Names are the benchmark names without "Benchmark", one for each phase
	// that the operation times: "DisableAll/impl=naive-sync/gp=memb".
	Names []string

	// CPUs is how many the case occupies: one for the measuring thread, and one
	// for each thread it starts through Env.Beside.
	CPUs int

	// Layouts is at how many alignments the case's timed loop stands, one of which
	// Env.Layout names; 0 if its code stands where it stands.
	Layouts int

	// Slow is how long a sample may take beyond what every sample may (see
	// usualLimit): for a case that waits for thousands of grace periods.
	Slow time.Duration

	// Ops, if not 0, is the number of operations of a sample, which are timed
	// together. 0 lets the harness find it.
	Ops int

	// Open prepares the operation, untimed, on the pinned measuring thread.
	Open func(*Env) (*Op, error)
}

// An Op is a prepared Case. All its functions are called on the measuring thread.
type Op struct {
	// Run performs n times Unit operations. It brackets what is to be timed by
	// t.Start(phase) and t.Stop(); the loop is inside, so that nothing of the
	// harness is in it.
	Run func(n int, t Timer)

	// Unit is the number of operations that n=1 stands for; 0 means 1.
	Unit int

	// Counts returns exact totals since Open, always the same units in the same
	// order. The harness reports what the timed part adds, per operation.
	Counts func() []Count

	// Rate returns an exact total since Open of what all threads do. The harness
	// reports what the timed part adds, in millions per second: {"hits", n} makes
	// Mhits/s. May be nil.
	Rate func() Count

	// Divide, for each of its units, also reports ns/op divided by the value:
	// {"event", 1000} makes ns/event.
	Divide []Count

	// Values returns measurements that the operation made itself, after the
	// last Run. They stand beside, or where Run times nothing in place of, ns/op.
	Values func() []Value

	// Close undoes Open, Env.Stop included if Open called Env.Beside: only the
	// operation knows what its threads may be waiting for. May be nil.
	Close func()
}

// A Timer is what an operation brackets its timed part with.
type Timer interface {
	Start(phase int)
	Stop()
}

// A Count is an exact number of things that happened.
type Count struct {
	Unit string // "gp-waits"; the harness adds "/op"
	N    uint64
}

// A Value is one measurement as the benchmark format has it.
type Value struct {
	Unit string
	V    float64
}

// A Unit says which direction is better, for the Unit lines of a file.
type Unit struct {
	Name   string
	Better string // "lower" or "higher"
	Exact  bool   // every sample of a case has the same value: assume=exact
}

func (u Unit) String() string {
	s := "Unit " + u.Name + " better=" + u.Better
	if u.Exact {
		s += " assume=exact"
	}
	return s
}
