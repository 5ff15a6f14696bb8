//go:build steps

package textpoke

// HoldTraps makes threads stop before the trap handler; TrapsBegun counts those that have come there.
var (
	HoldTraps  = &holdTraps
	TrapsBegun = &trapsBegun
)
