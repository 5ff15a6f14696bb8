package uprobe

import (
	"slices"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Policy is one way to keep a uprobe alive during a hit, and to free it afterwards. Its
// functions are called without locks, except where they say so.
type Policy struct {
	// flavour is the flavour of rcu whose read sections hits or puts enter; "" if they enter
	// none.
	flavour string

	// sections: a hit pins by a read section alone. It calls consumers without the rwsem, so a
	// removal has to wait for a grace period.
	sections bool

	// hit does all of a hit and returns how many consumers it called.
	hit func(h *Hitter, k Key) (called int)

	// initial is the reference word of a new uprobe. It includes the reference of the updater
	// that makes it.
	initial uint64

	// get takes a reference to a uprobe in the tree. It returns false, and takes none, if the
	// uprobe is dying. The caller holds the treelock.
	get func(t *Table, u *Uprobe) bool

	// put gives a reference back. r is the reader of the hit, or nil if an updater puts.
	put func(t *Table, r *rcu.Reader, u *Uprobe)

	// treeHolds: one reference belongs to the tree, from the first consumer to the last.
	// Otherwise each consumer has one.
	treeHolds bool
}

// with returns a copy of the policy after change has changed it.
func (p Policy) with(change func(*Policy)) Policy {
	change(&p)
	return p
}

// variant returns the flavour of the Domain that a Table needs. A policy without read sections
// takes the first that runs here; if none does, the first one's Check reports why.
func (p *Policy) variant() (rcu.Variant, error) {
	if p.flavour != "" {
		return impls.Find("flavour", rcu.Variants(), p.flavour)
	}
	flavours := rcu.Variants()
	runs := slices.IndexFunc(flavours, func(v rcu.Variant) bool { return v.Supported() == nil })
	return flavours[max(0, runs)], nil
}

// check reports why a Table of the policy cannot run here, or nil.
func (p *Policy) check() error {
	v, err := p.variant()
	if err != nil {
		return err
	}
	return v.Supported()
}

// Domain opens the Domain that a Table of the policy needs.
func (p *Policy) Domain(o rcu.Options) (*rcu.Domain, error) {
	v, err := p.variant()
	if err != nil {
		return nil, err
	}
	return v.New(o), nil
}
