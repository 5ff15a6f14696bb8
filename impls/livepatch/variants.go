package livepatch

import (
	"cmp"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Variant opens the Domain that transitions wait by.
type Variant = impls.Variant[func(rcu.Options) *rcu.Domain]

// Variants lists the ways to wait, by age.
func Variants() []Variant {
	return []Variant{
		{
			Name:   "rcu",
			Doc:    "transitions wait by RCU, which overlooks CPUs that it does not watch",
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

// check reports why a Core that waits by the flavour cannot run here. ftrace's wait is
// rude whatever the flavour.
func check(name string) error {
	return cmp.Or(Open(), supported(name), supported("rude"))
}

func supported(name string) error { return find(name).Supported() }

// flavour is the constructor of the flavour of that name.
func flavour(name string) func(rcu.Options) *rcu.Domain { return find(name).New }

func find(name string) rcu.Variant {
	v, err := impls.Find("flavour", rcu.Variants(), name)
	if err != nil {
		panic("livepatch: " + err.Error())
	}
	return v
}

// rudeDomain is what ftrace waits by where transitions do not.
func rudeDomain() *rcu.Domain { return flavour("rude")(rcu.Options{Lazy: rcu.OnlyBarrier}) }
