package harness

import "time"

// A Case is one thing to measure.
type Case struct {
	// Names are the benchmark names without "Benchmark", one for each phase
	// that the operation times: "DisableAll/impl=naive-sync/gp=memb".
	Names []string

	// CPUs is how many the case needs: one for the measuring thread, and one
	// for each thread it starts by Env.Beside.
	CPUs int

	// Layouts is the number of alignments at which the case's timed loop exists. Env.Layout
	// is the number of the one to measure. 0: there is one, and the linker aligns it.
	Layouts int

	// Slow is how much longer than usualLimit a sample may take: for a case that waits
	// for thousands of grace periods.
	Slow time.Duration

	// Ops is the number of operations of a sample, which are timed together. 0: the
	// harness searches it.
	Ops int

	// Untimed: the sample's values are no times, so a neighbour on the core is no reason to take it again.
	Untimed bool

	// Open prepares the operation, untimed, on the pinned measuring thread.
	Open func(*Env) (*Op, error)
}

// An Op is a prepared Case. All its functions are called on the measuring thread.
type Op struct {
	// Run performs n times Unit operations, and calls t.Start(phase) and t.Stop() around
	// what is to be timed. The loop is between the two, so no code of the harness is timed.
	Run func(n int, t Timer)

	// Unit is the number of operations that n=1 stands for; 0 means 1.
	Unit int

	// Counts returns exact totals since Open, always the same units in the same
	// order. The harness reports how much the timed part adds, per operation.
	Counts func() []Count

	// Rate returns an exact total since Open over all threads. The harness reports how much the
	// timed part adds, in millions per second: {"hits", n} is reported as Mhits/s. May be nil.
	Rate func() Count

	// Divide: for each of these, ns/op divided by N is reported too: {"event", 1000} adds ns/event.
	Divide []Count

	// Values returns, after the last Run, measurements that the operation made itself of one phase: the
	// harness asks for each in turn. They are reported with ns/op, or in place of it if Run times
	// nothing. May be nil.
	Values func(phase int) []Value

	// Close undoes Open. If Open called Env.Beside, Close calls Env.Stop: only the
	// operation knows what its threads may be waiting for. May be nil.
	Close func()
}

// A Timer is started and stopped by an operation around what is to be timed.
type Timer interface {
	Start(phase int)
	Stop()
}

// A Count is an exact number of things that happened.
type Count struct {
	Unit string // "gp-waits"; the harness adds "/op"
	N    uint64
}

// A Value is one measurement of a benchmark line.
type Value struct {
	Unit string
	V    float64
}

// A Unit is a Unit line of a file: whether a higher value is better.
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
