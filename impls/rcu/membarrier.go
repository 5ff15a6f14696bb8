package rcu

import "github.com/tpbench/tpbench/impls"

// unsupported words why a membarrier command cannot serve.
func unsupported(command, why, do string) error {
	return &impls.UnsupportedError{What: "membarrier " + command, Why: why, Do: do}
}
