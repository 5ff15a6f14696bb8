package rcu_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls/rcu"
)

func countersAreExact(t *testing.T, d *rcu.Domain) {
	nothing := func() {}
	for _, row := range []struct {
		name string
		do   func(d *rcu.Domain)
		want rcu.Counters // by how much they grow
	}{
		{"nothing", func(d *rcu.Domain) {}, rcu.Counters{}},
		{"synchronize", func(d *rcu.Domain) {
			d.Synchronize()
			d.Synchronize()
		}, rcu.Counters{Started: 2, Waited: 2}},
		{"a snapshot waits for nothing", func(d *rcu.Domain) {
			d.Poll(d.GetState())
		}, rcu.Counters{}},
		{"cond-sync at once", func(d *rcu.Domain) {
			d.CondSync(d.GetState())
		}, rcu.Counters{Started: 1, Waited: 1}},
		{"cond-sync after a grace period", func(d *rcu.Domain) {
			s := d.GetState()
			d.Synchronize()
			d.CondSync(s)
			d.CondSync(s)
		}, rcu.Counters{Started: 1, Waited: 1, Elided: 2}},
		{"two states, one grace period", func(d *rcu.Domain) {
			s1, s2 := d.GetState(), d.GetState()
			d.CondSync(s1)
			d.CondSync(s2)
		}, rcu.Counters{Started: 1, Waited: 1, Elided: 1}},
		{"call and barrier", func(d *rcu.Domain) {
			d.Call(nothing)
			d.Barrier()
		}, rcu.Counters{Started: 1, Callbacks: 1}},
		{"calls share the grace period of a barrier", func(d *rcu.Domain) {
			d.Call(nothing)
			d.Call(nothing)
			d.Call(nothing)
			d.Barrier()
		}, rcu.Counters{Started: 1, Callbacks: 3}},
		{"a synchronize serves a call before it", func(d *rcu.Domain) {
			d.Call(nothing)
			d.Synchronize()
			d.Barrier()
		}, rcu.Counters{Started: 1, Waited: 1, Callbacks: 1}},
		{"a synchronize does not serve a call after it", func(d *rcu.Domain) {
			d.Synchronize()
			d.Call(nothing)
			d.Barrier()
		}, rcu.Counters{Started: 2, Waited: 1, Callbacks: 1}},
		{"the grace period of a barrier satisfies a state", func(d *rcu.Domain) {
			d.Call(nothing)
			s := d.GetState()
			d.Barrier()
			d.CondSync(s)
		}, rcu.Counters{Started: 1, Elided: 1, Callbacks: 1}},
		{"an empty barrier", func(d *rcu.Domain) {
			d.Barrier()
			d.Barrier()
		}, rcu.Counters{}},
	} {
		before := d.Counters()
		row.do(d)
		after := d.Counters()
		got := rcu.Counters{
			Started:   after.Started - before.Started,
			Waited:    after.Waited - before.Waited,
			Elided:    after.Elided - before.Elided,
			Callbacks: after.Callbacks - before.Callbacks,
		}
		if got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}
