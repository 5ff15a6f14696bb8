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
		{
			Name:   "rcu",
			Doc:    "transitions wait by RCU, which does not wait for CPUs that it does not watch",
			Origin: "kernel/livepatch of v4.12",
			Status: impls.Busted,
			Check:  func() error { return check("memb") },
			New:    waitRCU,
		},
		{
			Name:   "rude",
			Doc:    "transitions wait by a work item on every CPU",
			Origin: "842c08846420, v4.13",
			Check:  func() error { return check("rude") },
			New:    waitRude,
		},
	}
}

// check reports why a Core that waits by the flavour of that name cannot run here. ftrace's
// wait always needs rude.
func check(name string) error {
	return cmp.Or(Open(), supported(name), supported("rude"))
}

func supported(name string) error { return find(name).Supported() }

// flavour returns the constructor of the flavour of that name.
func flavour(name string) func(rcu.Options) *rcu.Domain { return find(name).New }

func find(name string) rcu.Variant {
	v, err := impls.Find("flavour", rcu.Variants(), name)
	if err != nil {
		panic("livepatch: " + err.Error())
	}
	return v
}

// rudeDomain opens the Domain of ftrace's wait, where transitions wait by another flavour.
func rudeDomain() *rcu.Domain { return flavour("rude")(rcu.Options{Lazy: rcu.OnlyBarrier}) }
