package benches

import (
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

var pokeFamily = Family{
	Names: []string{"Poke"},
	Doc:   "rewriting the keys of many sites, alone and beside a reader that executes them",
	axes: []axis{
		implAxis(variantNames(textpoke.Variants()), usualNames(textpoke.Variants())),
		numbers("sites", nil, 1, 64, 256, 4096),
		readersAxis(0, 1),
	},
	fits:  func(k keys) bool { return k.num("sites") >= 1 && k.num("sites") <= dispatch.TextSites },
	check: func(keys) error { return dispatch.Open() },
	open:  openPoke,
}

// openPoke flips the keys between NOP and JMP. There is no probe behind them, so a
// reader's body ends at its NULL check.
func openPoke(k keys, e *harness.Env) (*harness.Op, error) {
	n := k.num("sites")
	sites, err := dispatch.Events(n)
	if err != nil {
		return nil, err
	}
	patch := find(textpoke.Variants(), k["impl"]).New
	on, off := dispatch.KeyChanges(sites)
	d := find(rcu.Variants(), "memb").New(rcu.Options{})
	for range k.num("readers") {
		err := e.Beside(func() (pass, end func(), err error) {
			r := d.Register()
			repeat := max(1, 1024/n)
			return func() {
				for range repeat {
					dispatch.Sweep(r, n)
				}
			}, r.Unregister, nil
		})
		if err != nil {
			return nil, err
		}
	}
	next, other := on, off
	return &harness.Op{
		Run: func(n int, t harness.Timer) {
			t.Start(0)
			for range n {
				must(patch(next))
				next, other = other, next
			}
			t.Stop()
		},
		Counts: func() []harness.Count {
			c := textpoke.Totals()
			return []harness.Count{{Unit: "core-syncs", N: c.Syncs}, {Unit: "traps", N: c.Traps}}
		},
		Divide: []harness.Count{{Unit: "site", N: uint64(n)}},
		Close: func() {
			e.Stop()
			must(patch(off))
			d.Close()
		},
	}, nil
}
