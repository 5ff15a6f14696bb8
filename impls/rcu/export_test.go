package rcu

// What the conformance tests share with the tests inside the package: flavours_test.go.
var (
	Until      = until
	Leave      = leave
	Begin      = begin
	HoldOpen   = holdOpen
	HoldOpenBy = holdOpenBy
	Holders    = holders
	WaitsFor   = waitsFor
)

const HandedOver = handedOver
