package uprobe

import "github.com/tpbench/tpbench/impls"

// A Variant is one way to keep a uprobe alive during a hit.
type Variant = impls.Variant[*Policy]

// Variants lists them by age, and then the busted ones that no patch to the kernel has had.
func Variants() []Variant {
	variant := func(name, doc, origin string, s impls.Status, p *Policy) Variant {
		return Variant{Name: name, Doc: doc, Origin: origin, Status: s, New: p, Check: p.check}
	}
	return []Variant{
		variant("rwlock", "hits look up under the treelock and take a reference", "before July 2024", impls.Sound, &rwlock),
		variant("epoch-eager", "up-U1: count and epoch in one word, always added to; the last put frees at once", "patch 04/12 of June 2024", impls.Busted, &epochEager),
		variant("epoch-rcu", "epoch-eager that puts in a read section and frees after a grace period", "v2 of July 2024", impls.Sound, &epochRCU),
		variant("srcu", "hits enter a read section of SRCU, look up without a lock and take no reference", "proposed in July 2024", impls.Sound, &srcuHits),
		variant("inc-not-zero", "hits enter a read section of RCU Tasks Trace, look up without a lock and take no reference", "merged, August to November 2024", impls.Sound, &incNotZero),
		variant("no-epoch", "up-U2: epoch-rcu that compares counts only", "ours", impls.Busted, &noEpoch),
		variant("narrow-epoch", "up-U5: epoch-rcu that compares four bits of the epoch", "ours", impls.Busted, &narrowEpoch),
		variant("inc-from-zero", "up-U3: inc-not-zero that takes references to dying uprobes", "ours", impls.Busted, &incFromZero),
		variant("no-retry", "up-U4: inc-not-zero that does not recheck the sequence count after a miss", "ours", impls.Busted, &noRetry),
	}
}
