package results

import (
	"cmp"
	"slices"
	"strings"
)

// A Catalog is what the caller knows and a file does not say: which implementations and
// which benchmarks there are. Files that were recorded earlier are read with the Catalog of
// today.
type Catalog struct {
	Impls      []Impl      // in the order to show them
	Benchmarks []Benchmark // in the order of their tables

	EmptyLoop   string // the value of impl= with which Firing times the loop without a site
	PlainCall   string // the value of impl= that other times of Firing are compared with
	Undisturbed string // the value of impl= with which no thread disturbs ReaderLatency's reader
	KernelGP    string // the value of gp= that waits for the running kernel's grace periods
}

// An Impl is an implementation of a Catalog.
type Impl struct {
	Name   string // the value of impl=
	Busted bool   // breaks a promise on purpose, and is not safe to use
	Fires  string // of a strategy: the implementation of Firing that its sites use
}

// A Benchmark is one benchmark of a Catalog.
type Benchmark struct {
	Name string // without "Benchmark", up to the first '/'
	Role Role   // "" for one that has a table of its own, and no chart

	Table string // title of the table that it is in; "" is one of its own
	Short string // what it does, in the few words that a chart has room for
	Shown string // "key=value": the samples that charts show; "" for all
	Model string // of an operation on the running kernel: the benchmark that does the same in the model; "" for all others
}

// A Role says what a benchmark measures. Tables and charts select by it.
type Role string

const (
	Firing             Role = "firing"              // one pass of a site, by impl and probes
	Disable            Role = "disable"             // disabling all events at once, by impl, gp and events
	Enable             Role = "enable"              // enabling them again, likewise
	Transition         Role = "transition"          // a change of the number of probes of one event, by impl and gp
	ReaderLatency      Role = "reader-latency"      // percentiles of a reader's passes, by impl and gp
	GracePeriod        Role = "grace-period"        // one wait for a grace period, by gp and readers
	Patching           Role = "patching"            // rewriting a batch of sites, by impl, sites and beside
	Removal            Role = "removal"             // removing probes while allocations fail, by impl, gp, fail and probes
	FunctionTransition Role = "function-transition" // patching or unpatching a function, by impl, change, stack and tasks
	UprobeHit          Role = "uprobe-hit"          // hits of uprobes, by impl, keys and cpus
	Torture            Role = "torture"             // whether a strategy held under torture, by impl
	RunningKernel      Role = "kernel"              // an operation on the running kernel, by its own keys
)

// Names returns the names of the benchmarks of a role, in order.
func (c Catalog) Names(role Role) []string {
	var names []string
	for _, b := range c.Benchmarks {
		if b.Role == role {
			names = append(names, b.Name)
		}
	}
	return names
}

// Name words the benchmarks of a role, for messages.
func (c Catalog) Name(role Role) string {
	names := c.Names(role)
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " or " + names[last]
	}
	return cmp.Or(strings.Join(names, ""), string(role))
}

// Select returns the samples of the benchmarks of a role whose keys have the given values,
// as [Samples.Select] does.
func (c Catalog) Select(ss Samples, role Role, where ...string) Samples {
	names := c.Names(role)
	return slices.DeleteFunc(slices.Clone(ss.Select("", where...)), func(s Sample) bool { return !slices.Contains(names, s.Base) })
}

// Shown returns the samples of a benchmark that charts show. One that is not listed has all of them shown.
func (c Catalog) Shown(ss Samples, name string) Samples {
	i := slices.IndexFunc(c.Benchmarks, func(b Benchmark) bool { return b.Name == name })
	if i < 0 || c.Benchmarks[i].Shown == "" {
		return ss.Select(name)
	}
	return ss.Select(name, c.Benchmarks[i].Shown)
}

// Index returns the position of an implementation, or len(c.Impls) if it is not listed.
func (c Catalog) Index(impl string) int {
	i := slices.IndexFunc(c.Impls, func(e Impl) bool { return e.Name == impl })
	if i < 0 {
		return len(c.Impls)
	}
	return i
}

// Status returns "sound" or "busted", or "" for what is not listed: floors, for
// example, have no safety.
func (c Catalog) Status(impl string) string {
	switch i := c.Index(impl); {
	case i == len(c.Impls):
		return ""
	case c.Impls[i].Busted:
		return "busted"
	}
	return "sound"
}

// Sort groups samples by implementation and returns the groups in the
// catalog's order, those not listed last.
func (c Catalog) Sort(ss Samples) []Group {
	groups := ss.GroupBy("impl")
	slices.SortStableFunc(groups, func(a, b Group) int { return c.Index(a.Value) - c.Index(b.Value) })
	return groups
}
