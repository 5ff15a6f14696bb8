// impls/tracepoint/neverwaits.go
// {Name: "never-waits", New: &neverWaits, Status: impls.Busted, Origin: "a test",
// 	Doc: "naive-sync without its waits"},

package tracepoint

// neverWaits: deliberate bug (a test): no wait in 2->1 and in 1->0.
var neverWaits = naiveSync.but(func(p *Policy) {
	p.TwoToOne = []Step{publish, callFirst}
	p.OneToZero = []Step{keyDisable, callIterator, publish}
})
