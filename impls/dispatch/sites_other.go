//go:build !(linux && amd64)

package dispatch

import "github.com/tpbench/tpbench/impls/rcu"

// Open returns an error on other machines, so none of these runs.
func addresses(*addressTable)              { panic("dispatch: needs linux/amd64") }
func fire(uintptr, *rcu.Reader, int)       { panic("dispatch: needs linux/amd64") }
func fireMapped(uintptr, *rcu.Reader, int) { panic("dispatch: needs linux/amd64") }

var nothingLoops, bareLoops, nilLoops, plainLoops, siteLoops [Layouts]loop
