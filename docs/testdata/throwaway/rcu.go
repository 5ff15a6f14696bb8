// impls/rcu/twice.go
// {Name: "twice", Check: checkPrivate, New: twice, Origin: "a test",
// 	Doc: "memb with two barriers"},

package rcu

// twice is memb with two barriers where one is enough.
func twice(o Options) *Domain {
	d := memb(o)
	once := d.flavour.barrier
	d.flavour.barrier = func() { once(); once() }
	return d
}
