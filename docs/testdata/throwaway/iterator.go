// impls/tracepoint/staysatiterator.go
// {Name: "stays-at-iterator", New: &staysAtIterator, Origin: "a test",
// 	Doc: "naive-sync that leaves the static call at the iterator in 2->1"},

package tracepoint

// staysAtIterator does not wait in 2->1: the static call stays at the iterator there.
var staysAtIterator = naiveSync.but(func(p *Policy) {
	p.TwoToOne = []Step{publish}
})
