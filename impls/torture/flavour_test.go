package torture

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// If this fails, the readers of other families are in a flavour that is busted or slow, or its
// grace periods wait for readers in no section. The last failure is a hang.
func TestFlavour(t *testing.T) {
	v := Flavour()
	judge.Need(t, v.Supported(), "rcu", v.Name)
	if v.Status != impls.Sound || v.Slow {
		t.Errorf("%s is %v, slow: %v", v.Name, v.Status, v.Slow)
	}
	d := v.New(rcu.Options{})
	defer d.Close()
	r := d.Register()
	defer r.Unregister()
	d.Synchronize()
}
