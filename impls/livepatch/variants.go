package livepatch

import (
	"cmp"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Variant opens the Domain whose grace periods are the three waits.
type Variant = impls.Variant[func(rcu.Options) *rcu.Domain]

// Variants lists the ways to wait, oldest first.
func Variants() []Variant {
	return []Variant{
		{Name: "rcu", Check: check(rcuFlavour), New: flavour(rcuFlavour).New, Status: impls.Busted,
			Origin: "kernel/livepatch of v4.12",
			Doc:    "klp-L1: transitions wait by RCU, which does not wait for CPUs that it does not watch"},
		{Name: "rude", Check: check(rudeFlavour), New: flavour(rudeFlavour).New,
			Origin: "842c08846420, v4.13",
			Doc:    "transitions wait by a work item on every CPU"},
	}
}

// check returns the Check of a Core that waits by the flavour of that name. ftrace's wait always
// needs rude.
func check(name string) func() error {
	return func() error {
		return cmp.Or(Open(), flavour(name).Supported(), flavour(rudeFlavour).Supported())
	}
}

func flavour(name string) rcu.Variant {
	v, err := impls.Find("flavour", rcu.Variants(), name)
	if err != nil {
		panic("livepatch: " + err.Error())
	}
	return v
}
