//go:build !(linux && amd64)

package dispatch

import "github.com/tpbench/tpbench/impls/rcu"

// Stand-ins for what is assembler on x86-64 Linux, so that the package compiles elsewhere.
// Nothing uses them: Open, which comes before everything else, returns an error here.
//
// addresses fills a table with the addresses of the assembler's code. fire executes the site
// at entry n times, in read sections of r; fireMapped does so for a site outside this binary.
func addresses(*addressTable)                        { panic("dispatch: needs linux/amd64") }
func fire(entry uintptr, r *rcu.Reader, n int)       { panic("dispatch: needs linux/amd64") }
func fireMapped(entry uintptr, r *rcu.Reader, n int) { panic("dispatch: needs linux/amd64") }

// The timed loops (see timed.go), each at every alignment: around nothing, a call of an empty
// function, a test of a pointer for nil, a site with an ordinary CALL, and a site.
var emptyLoops, bareCallLoops, nilCheckLoops, plainCallLoops, siteLoops [Layouts]loop
