package rcu

import "github.com/tpbench/tpbench/impls"

// unsupported returns the error for a membarrier command that cannot be used here.
func unsupported(command, why, do string) error {
	return &impls.UnsupportedError{What: "membarrier " + command, Why: why, Do: do}
}
