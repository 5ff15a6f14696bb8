//go:build steps

package textpoke

// The schedule point in the trap handlers.
var (
	HoldTraps  = &holdTraps
	TrapsBegun = &trapsBegun
)
