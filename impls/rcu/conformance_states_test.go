package rcu_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls/rcu"
)

// stateInsideSection takes a state in a section that began during one grace period. While the
// section lasts, that grace period ends and another begins.
func stateInsideSection(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	h := rcu.HoldOpen(d)
	r.Quiescent()
	r.Lock()
	s := d.GetState()
	h.End()
	if d.Poll(s) {
		t.Error("satisfied by the rest of the grace period in which the section began")
	}
	next := rcu.Begin(d, d.Synchronize)
	if d.Poll(s) || rcu.Closed(next) {
		t.Error("satisfied by a grace period that the section should hold open")
	}
	rcu.Leave(r)
	<-next
	if !d.Poll(s) {
		t.Error("not satisfied by a whole grace period")
	}
	r.Unregister()
}

func condSyncWaits(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	r.Lock()
	s := d.GetState()
	returned := rcu.Begin(d, func() { d.CondSync(s) })
	if d.Poll(s) {
		t.Error("satisfied with the reader inside")
	}
	if rcu.Closed(returned) {
		t.Error("CondSync returned with the reader inside")
	}
	rcu.Leave(r)
	<-returned
	if !d.Poll(s) {
		t.Error("CondSync returned and the state is not satisfied")
	}
	r.Unregister()
}
