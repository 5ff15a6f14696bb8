package rcutest

import (
	"testing"

	"github.com/tpbench/tpbench/impls/rcu"
)

// cookieInsideSection takes a cookie in a section that began during one grace period, and
// lets that end, and another begin, while the section lasts.
func cookieInsideSection(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	h := holdOpen(d)
	r.Quiescent()
	r.Lock()
	s := d.GetState()
	h.end()
	if d.Poll(s) {
		t.Error("satisfied by the rest of the grace period in which the section began")
	}
	next := begin(d, d.Synchronize)
	if d.Poll(s) || closed(next) {
		t.Error("satisfied by a grace period that the section should hold open")
	}
	leave(r)
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
	returned := begin(d, func() { d.CondSync(s) })
	if d.Poll(s) {
		t.Error("satisfied with the reader inside")
	}
	if closed(returned) {
		t.Error("CondSync returned with the reader inside")
	}
	leave(r)
	<-returned
	if !d.Poll(s) {
		t.Error("CondSync returned and the state is not satisfied")
	}
	r.Unregister()
}
